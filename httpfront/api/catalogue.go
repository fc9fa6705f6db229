package api

import (
	"errors"
	"time"

	"ssod/actors"
	"ssod/actors/linkdirectory"
	"ssod/actors/logout"
	"ssod/actors/profile"
	"ssod/actors/session"
	"ssod/httpfront/api/registration"
	"ssod/httpfront/mvpd"
	"ssod/httpfront/slots"
	"ssod/httpfront/token/keys"
)

// Action tells the client what to do about an error; httpfront/docs/errors.md#actions.
type Action string

// The actions that occur.
const (
	None                    Action = "none"
	Retry                   Action = "retry"
	GetNewToken             Action = "get_new_token"
	CheckHeaders            Action = "check_headers"
	CheckRequestBody        Action = "check_request_body"
	ApplicationRegistration Action = "application-registration"
	Configuration           Action = "configuration"
	Authentication          Action = "authentication"
)

// What WWW-Authenticate asks for.
const (
	bearer = "Bearer"
	basic  = `Basic realm="client credentials", charset="UTF-8"`
)

// Error is a row of the catalogue: what a client sees of a condition.
type Error struct {
	match   func(error) bool
	Status  int
	Code    string
	Message string
	Action  Action
	// Details is added to the message for people, where it helps.
	Details string
	// RetryAfter is what the header says unless the condition knows better.
	RetryAfter time.Duration
	// Challenge is WWW-Authenticate: by it clients know that the access token is
	// to blame, or their own credentials.
	Challenge string

	registration bool // occurs below /o/ only and is told there by its code
}

// catalogue lists every error of whole answers; the tables of
// httpfront/docs/errors.md#sso-service-errors and its two neighbours. Those of single
// decisions are in item.go. The first row that matches counts.
var catalogue = []*Error{
	{is(ErrNotFound), 404, "not_found", "No such resource", None, "", 0, "", false},
	{is(ErrMethod), 405, "method_not_allowed", "The HTTP method is not allowed for this resource", None, "", 0, "", false},
	{is(ErrRepeatedHeader), 400, "header_invalid", "A header value is invalid: it was sent more than once", CheckHeaders, "", 0, "", false},
	{is(ErrThrottled), 429, "too_many_requests", "Too many requests", Retry, "", time.Second, "", false},
	{is(ErrBodyTooLarge), 400, "request_invalid", "Request body is invalid: it is too large", CheckRequestBody, "", 0, "", false},
	{is(ErrAccept), 400, "header_invalid", "A header value is invalid: Accept", CheckHeaders, "", 0, "", false},

	{is(ErrNoAccessToken), 401, "unauthorized", "Unauthorized access", None, "", 0, bearer, false},
	{is(keys.ErrAccess), 401, "unauthorized", "Unauthorized access", None, "", 0, bearer, false},
	{is(keys.ErrAccessExpired), 401, "token_expired", "The token has expired", GetNewToken, "", 0, bearer, false},
	{anyOf(registration.ErrRevoked, ErrClientApplication), 401, "invalid_access_token_client_application", "The access token is invalid due to invalid client application.", ApplicationRegistration, "", 0, bearer, false},
	{is(ErrServiceProvider), 400, "invalid_parameter_service_provider", "The service provider parameter value is missing or invalid.", None, "", 0, "", false},
	{is(ErrNotCovered), 401, "invalid_access_token_service_provider", "The access token is invalid due to invalid service provider.", ApplicationRegistration, "", 0, bearer, false},

	{is(ErrIdentityMissing), 400, "header_missing", "Either x-sso-id or x-sso-link header is required for POST requests", CheckHeaders, "", 0, "", false},
	{is(ErrMintDeviceMissing), 400, "header_missing", "AP-Device-Identifier header is required for POST requests", CheckHeaders, "", 0, "", false},
	{is(ErrRefreshTokenMissing), 400, "header_missing", "AD-Service-Token header is required for GET requests", CheckHeaders, "", 0, "", false},
	{is(ErrLinkTokenMissing), 401, "header_missing", "AD-Service-Token header is required for link requests", CheckHeaders, "", 0, "", false},
	{is(ErrUnlinkTokenMissing), 401, "header_missing", "AD-Service-Token header is required for unlink requests", CheckHeaders, "", 0, "", false},
	{is(ErrListTokenMissing), 401, "header_missing", "AD-Service-Token header is required for list requests", CheckHeaders, "", 0, "", false},
	{is(ErrHeaderMissing), 400, "header_missing", "A required header is missing", CheckHeaders, "", 0, "", false},
	{is(ErrDevice), 400, "invalid_header_device_identifier", "The device identifier header value is missing or invalid.", None, "", 0, "", false},
	{is(ErrTemporaryIdentity), 400, TemporaryIdentityCode, temporaryIdentityMessage, None, "", 0, "", false},
	{is(ErrDeviceInfo), 400, "invalid_header_device_info", "The device information header value is missing or invalid.", None, "", 0, "", false},
	{is(ErrSSOID), 400, "header_invalid", "A header value is invalid: X-SSO-ID", CheckHeaders, "", 0, "", false},
	{is(ErrContentType), 400, "header_invalid", "A header value is invalid: Content-Type", CheckHeaders, "", 0, "", false},

	{is(keys.ErrParse), 401, "header_invalid", "Error validating JWT signature", GetNewToken, "", 0, "", false},
	{is(keys.ErrSignature), 401, "header_invalid", "Invalid JWT signature in AD-Service-Token", GetNewToken, "", 0, "", false},
	{is(keys.ErrSubjectMissing), 401, "header_invalid", "JWT subject (sub) is missing or empty in AD-Service-Token", GetNewToken, "", 0, "", false},
	{is(keys.ErrSubject), 401, "header_invalid", "Error extracting JWT subject", GetNewToken, "", 0, "", false},
	{is(keys.ErrExpired), 401, "token_expired", "The token has expired", GetNewToken, "", 0, "", false},
	{is(keys.ErrUnacceptable), 400, "token_invalid", "The provided token is invalid", GetNewToken, "", 0, "", false},
	{is(profile.ErrNotMember), 400, "token_invalid", "The provided token is invalid", GetNewToken, "", 0, "", false},
	{is(profile.ErrWrongDevice), 400, "token_invalid", "The provided token is invalid", GetNewToken, "The token was issued to another device", 0, "", false},
	{anyOf(linkdirectory.ErrCode, profile.ErrCode, profile.ErrRaceLost), 400, "token_invalid", "The provided token is invalid", GetNewToken, "The link code is unknown, expired or already used", 0, "", false},

	{as[*profile.PendingError], 403, "link_confirmation_pending", "The device that made the code has to confirm", Retry, "", 3 * time.Second, "", false},

	{is(ErrBodyNull), 400, "request_null", "Request object cannot be null", None, "", 0, "", false},
	{is(ErrDevicesEmpty), 400, "request_invalid", "Devices list cannot be null or empty", CheckRequestBody, "", 0, "", false},
	{is(ErrBody), 400, "request_invalid", "Request body is invalid", CheckRequestBody, "", 0, "", false},
	{is(profile.ErrTooManyDevices), 400, "request_invalid", "The profile has too many devices", None, "", 0, "", false},

	{is(ErrForm), 400, "invalid_parameter_mvpd", "The mvpd parameter value is missing or invalid.", None, "The body must be application/x-www-form-urlencoded, of at most 64 KiB, and name no parameter twice", 0, "", false},
	{is(mvpd.ErrUnknown), 400, "invalid_parameter_mvpd", "The mvpd parameter value is missing or invalid.", None, "", 0, "", false},
	{is(mvpd.ErrInactive), 400, "invalid_integration", "The integration between the specified service provider and mvpd does not exist or is disabled.", None, "", 0, "", false},
	{anyOf(ErrCode, session.ErrUnknown), 400, "invalid_parameter_code", "The code parameter value is missing or invalid.", None, "", 0, "", false},
	{anyOf(session.ErrOver, session.ErrIncomplete, ErrStranger, logout.ErrUsed), 400, "invalid_authentication_session", "The authentication session associated with this request is missing or invalid.", None, "", 0, "", false},
	{is(ErrResourcesBody), 400, "invalid_parameter_resources", "The resources parameter value is missing or invalid.", None, "The body must be application/json, of at most 64 KiB", 0, "", false},
	{is(ErrResources), 400, "invalid_parameter_resources", "The resources parameter value is missing or invalid.", None, "", 0, "", false},
	{is(ErrPartner), 400, "invalid_parameter_partner", "The partner parameter value is missing or invalid.", None, "", 0, "", false},
	{is(ErrSAMLResponse), 400, "invalid_parameter_saml_response", "The SAML response parameter value is missing or invalid.", None, "", 0, "", false},
	{is(ErrDomainName), 400, "invalid_parameter_domain_name", "The domain name parameter value is missing or invalid.", None, "", 0, "", false},
	{is(ErrRedirectURL), 400, "invalid_parameter_redirect_url", "The redirect URL parameter value is missing or invalid.", None, "", 0, "", false},

	oauth(registration.ErrInvalidRequest),
	oauth(registration.ErrInvalidRedirectURI),
	oauth(registration.ErrInvalidStatement),
	oauth(registration.ErrUnapprovedStatement),
	{is(registration.ErrBasic), 401, "invalid_client", "Client authentication failed", "", "", 0, basic, true},
	oauth(registration.ErrInvalidClient),
	oauth(registration.ErrUnauthorizedClient),
	oauth(registration.ErrUnsupportedGrantType),

	{as[*linkdirectory.GuessingError], 429, "too_many_requests", "Too many requests", Retry, "Too many wrong link codes", 0, "", false},
	{as[*linkdirectory.ClosedError], 429, "too_many_requests", "Too many requests", Retry, "Link codes of this length are not accepted at the moment", 0, "", false},
	{as[*UnknownCodesError], 429, "too_many_requests", "Too many requests", Retry, "Too many unknown authentication codes", 0, "", false},
	{as[*profile.TooManyCodesError], 429, "too_many_requests", "Too many requests", Retry, "Too many link codes were created", 0, "", false},

	{anyOf(ErrCutOff, registration.ErrBehind, actors.ErrUnavailable, actors.ErrOverloaded, linkdirectory.ErrFull, slots.ErrBusy, keys.ErrNotYet), 503, "service_unavailable", "The service is temporarily unavailable", Retry, "", time.Second, "", false},
	{unknownOutcome, 503, "service_unavailable", "The service is temporarily unavailable", Retry, "the outcome is unknown; repeat the request", time.Second, "", false},
}

// oauth is the row of an error that occurs below /o/ only;
// httpfront/docs/errors.md#registration-errors.
func oauth(e registration.Error) *Error {
	return &Error{match: is(e), Status: 400, Code: string(e), registration: true}
}

// Internal is what the client sees of a fault of ours.
var Internal = &Error{never, 500, "internal_error", "An internal error occurred", None, "", 0, "", false}

// internalV2 is Internal in the words of the entitlement API.
var internalV2 = &Error{never, 500, "internal_server_error", "The request failed due to an internal server error.", None, "", 0, "", false}

// Catalogue returns all rows, for documents and tests.
func Catalogue() []*Error { return append(append([]*Error(nil), catalogue...), Internal) }

// Classify maps err to what the client sees and how long it should wait.
// Anything unlisted is a fault of ours: the client learns nothing but the
// trace.
func Classify(err error) (*Error, time.Duration) {
	for _, e := range catalogue {
		if e.match(err) {
			return e, max(e.RetryAfter, retryAfter(err))
		}
	}
	return Internal, 0
}

// retryAfter is the time that the condition itself names.
func retryAfter(err error) time.Duration {
	if e, ok := errors.AsType[*linkdirectory.GuessingError](err); ok {
		return e.RetryAfter
	}
	if e, ok := errors.AsType[*linkdirectory.ClosedError](err); ok {
		return e.RetryAfter
	}
	if e, ok := errors.AsType[*UnknownCodesError](err); ok {
		return e.RetryAfter
	}
	if e, ok := errors.AsType[*profile.TooManyCodesError](err); ok {
		return e.RetryAfter
	}
	if e, ok := errors.AsType[*actors.OverloadedError](err); ok {
		return e.RetryAfter
	}
	return 0
}
