package client

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Codes that an app acts upon; httpfront/docs/errors.md#sso-service-errors and what
// follows there have all of them.
const (
	// CodeTokenInvalid: the link code is used up or never was, or the service token
	// is of a device that is no member any more. Get a new code, or sign in again.
	CodeTokenInvalid = "token_invalid"
	// CodeTokenExpired: the access token, or the service token for good.
	CodeTokenExpired = "token_expired"
	// CodeLinkConfirmationPending: the device that shows the code has to let this
	// one in; see [Device.AwaitRedeem].
	CodeLinkConfirmationPending = "link_confirmation_pending"
	// CodeTooManyRequests: wait for [Error.RetryAfter].
	CodeTooManyRequests = "too_many_requests"
	// CodeClientApplication: the client was revoked. It has to register again, by
	// which the viewer's logins are lost.
	CodeClientApplication = "invalid_access_token_client_application"
	// CodeInvalidClient: as before, when a token is fetched.
	CodeInvalidClient = "invalid_client"
	// CodeAuthenticationSession: the login is over, or the device began another.
	CodeAuthenticationSession = "invalid_authentication_session"
	// CodeProfileMissing, of a decision: there is no login.
	CodeProfileMissing = "authenticated_profile_missing"
)

// Error is an answer of the service other than 2xx, or why a decision is a denial.
// The fields that an answer does not have are empty.
type Error struct {
	// Operation is the operationId of the call in the OpenAPI document.
	Operation string `json:"-"`
	// Status is that of HTTP; of a decision what would have been it.
	Status  int    `json:"status"`
	Code    string `json:"code"`
	Message string `json:"message"`
	// Action is what to do about it: none, retry, get_new_token, check_headers,
	// check_request_body, application-registration, configuration, authentication.
	Action  string `json:"action"`
	Details string `json:"details"` // for people
	HelpURL string `json:"helpUrl"`
	// Trace is the id by which the service's log has more.
	Trace string `json:"trace"`
	// RetryAfter is for how long to wait; 0: the answer did not say.
	RetryAfter time.Duration `json:"-"`
	// AccessToken: it is the access token that is to blame, not the service token.
	AccessToken bool `json:"-"`
}

// Error implements error.
func (e *Error) Error() string {
	text := fmt.Sprintf("%s: answered %d %s", e.Operation, e.Status, e.Code)
	if e.Message != "" {
		text += ": " + e.Message
	}
	if e.Details != "" {
		text += " (" + e.Details + ")"
	}
	if e.Trace != "" {
		text += ", trace " + e.Trace
	}
	return text
}

// Is matches another *Error whose code is the same, so that
// errors.Is(err, &client.Error{Code: client.CodeTokenInvalid}) works.
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error)
	return ok && t.Code == e.Code && (t.Status == 0 || t.Status == e.Status)
}

// UnansweredError says that a call had no answer, or none that can be read.
type UnansweredError struct {
	Operation string
	Err       error // what the transport said
}

// Error implements error.
func (e *UnansweredError) Error() string { return fmt.Sprintf("%s: no answer: %v", e.Operation, e.Err) }

// Unwrap implements errors.
func (e *UnansweredError) Unwrap() error { return e.Err }

// Unknown reports whether the call that failed may have taken effect all the same,
// or may do so yet.
func Unknown(err error) bool {
	if e, ok := errors.AsType[*UnansweredError](err); ok {
		return !unsent(e.Err)
	}
	e, ok := errors.AsType[*Error](err)
	return ok && e.Status >= http.StatusInternalServerError && !e.undone()
}

// undone reports whether nothing was done, so that the call may be made again: the
// request did not arrive in time (408), or the service says so by a 503 in its own
// words, in which details would say that it does not know.
func (e *Error) undone() bool {
	return e.Status == http.StatusRequestTimeout || e.Status == http.StatusServiceUnavailable && e.Details == "" &&
		(e.Code == "service_unavailable" || e.Code == "temporarily_unavailable")
}

// unsent reports whether no connection was made.
func unsent(err error) bool {
	e, ok := errors.AsType[*net.OpError](err)
	return ok && e.Op == "dial"
}

// unanswered wraps what the transport says, without the URL: it may have a code in it.
func unanswered(operation string, err error) error {
	if e, ok := errors.AsType[*url.Error](err); ok {
		err = e.Err
	}
	return &UnansweredError{operation, err}
}

// readError reads an answer other than 2xx in whichever shape it has: nested, flat,
// that of OAuth, or a page.
func readError(operation string, answer *http.Response, body []byte) *Error {
	e := &Error{}
	var shape struct {
		Error       json.RawMessage `json:"error"`
		Description string          `json:"error_description"`
	}
	switch {
	case json.Unmarshal(body, &shape) != nil: // a page, of a proxy perhaps
	case len(shape.Error) == 0:
		_ = json.Unmarshal(body, e) // what can be read of it
	case shape.Error[0] == '"':
		_ = json.Unmarshal(shape.Error, &e.Code)
		e.Message = shape.Description
	default:
		_ = json.Unmarshal(shape.Error, e)
	}
	e.Operation, e.Status = operation, answer.StatusCode
	if e.Code == "" && e.Status == http.StatusTooManyRequests {
		e.Code, e.Action = CodeTooManyRequests, "retry"
	}
	if e.Trace == "" {
		e.Trace = answer.Header.Get("X-Request-Id")
	}
	seconds, _ := strconv.Atoi(answer.Header.Get("Retry-After"))
	e.RetryAfter = time.Duration(max(seconds, 0)) * time.Second
	e.AccessToken = strings.HasPrefix(answer.Header.Get("WWW-Authenticate"), "Bearer")
	return e
}
