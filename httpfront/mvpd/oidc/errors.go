package oidc

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"golang.org/x/oauth2"

	"ssod/httpfront/mvpd"
)

// errUnreadable: two readers could take a token for different things.
var errUnreadable = errors.New("it is no token that can be read in one way only")

const otherIssuer = "the answer is of another issuer"

func unavailable(err error) error {
	return &mvpd.LoginError{Code: mvpd.TemporarilyUnavailable, Cause: err}
}

func invalid(why string) error {
	return &mvpd.LoginError{Code: mvpd.InvalidRequest, Cause: errors.New(why)}
}

// known passes on the codes of RFC 6749, 4.1.2.1 that mean something to an app.
func known(code string) string {
	switch code {
	case mvpd.AccessDenied, mvpd.TemporarilyUnavailable:
		return code
	}
	return mvpd.ServerError
}

// refusal is what an error of the token endpoint means for a login. What the
// endpoint said is not repeated, but for its code: it may hold the tokens.
func refusal(err error) error {
	if err == nil {
		return nil
	}
	said, answered := errors.AsType[*oauth2.RetrieveError](err)
	if !answered {
		return unavailable(fmt.Errorf("token endpoint: %w", err))
	}
	cause := fmt.Errorf("token endpoint: %d %s", said.Response.StatusCode, errorCode(said.ErrorCode))
	switch {
	case said.ErrorCode == "invalid_grant":
		return &mvpd.LoginError{Code: mvpd.InvalidRequest, Cause: cause}
	case said.Response.StatusCode >= http.StatusInternalServerError || said.Response.StatusCode == http.StatusTooManyRequests:
		return unavailable(cause)
	}
	return &mvpd.LoginError{Code: mvpd.ServerError, Cause: cause}
}

// errorCode is a code of RFC 6749, 5.2; nothing if it is something else.
func errorCode(s string) string {
	if len(s) > 40 || strings.Trim(s, "abcdefghijklmnopqrstuvwxyz_") != "" {
		return ""
	}
	return s
}
