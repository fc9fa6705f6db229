package registration

import "errors"

// Error is an error code of dynamic client registration
// (httpfront/docs/errors.md#registration-errors; RFC 7591, 3.2.2; RFC 6749, 5.2). Its
// text is the value of "error" in the answer, which is a 400.
type Error string

func (e Error) Error() string { return string(e) }

// The error codes.
const (
	ErrInvalidRequest       Error = "invalid_request"
	ErrInvalidRedirectURI   Error = "invalid_redirect_uri"
	ErrInvalidStatement     Error = "invalid_software_statement"
	ErrUnapprovedStatement  Error = "unapproved_software_statement"
	ErrInvalidClient        Error = "invalid_client"
	ErrUnauthorizedClient   Error = "unauthorized_client"
	ErrUnsupportedGrantType Error = "unsupported_grant_type"
)

// ErrBasic is [ErrInvalidClient] of a client that sent its credentials as HTTP
// Basic: the answer is a 401 with a challenge (RFC 6749, 5.2).
var ErrBasic = errors.New("client authentication by HTTP Basic failed")

// ErrRevoked says that an access token is genuine, but its client, the client's
// statement, or the key behind the client's secret was revoked:
// invalid_access_token_client_application.
var ErrRevoked = errors.New("client revoked")

// ErrBehind says that a statement is not known here and that it cannot be found
// out now whether it is elsewhere.
var ErrBehind = errors.New("the software statements here may be old")

// What an operator can do wrong.
var (
	// ErrUnknown: there is no such statement, or no such client can exist.
	ErrUnknown = errors.New("not found")
	// ErrInput: a statement cannot be made from this; the text says why.
	ErrInput = errors.New("invalid statement")
	// ErrFull: there are as many statements or revoked clients as are kept.
	ErrFull = errors.New("no room for more")
)
