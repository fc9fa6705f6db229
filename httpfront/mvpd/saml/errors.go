package saml

import (
	"errors"

	"ssod/httpfront/mvpd"
)

func unavailable(err error) error {
	return &mvpd.LoginError{Code: mvpd.TemporarilyUnavailable, Cause: err}
}

func invalid(cause error) error {
	return &mvpd.LoginError{Code: mvpd.InvalidRequest, Cause: cause}
}

// codeOf is what a status of the provider means to an app: its second level says more, if
// there is one (SAML Core 2.0, 3.2.2.2).
func codeOf(status []string) string {
	for _, code := range status {
		switch code {
		case statusPrefix + "AuthnFailed", statusPrefix + "RequestDenied", statusPrefix + "NoAuthnContext", statusPrefix + "UnknownPrincipal":
			return mvpd.AccessDenied
		case statusPrefix + "NoAvailableIDP", statusPrefix + "NoSupportedIDP":
			return mvpd.TemporarilyUnavailable
		}
	}
	return mvpd.ServerError
}

// errState says that an answer does not say of which login it is.
var errState = errors.New("an answer without one RelayState")
