package api

import (
	"errors"
	"time"

	"ssod/actors"
	"ssod/actors/answer"
	"ssod/actors/linkdirectory"
	"ssod/actors/logout"
	"ssod/actors/once"
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
	{match: is(ErrNotFound), Status: 404, Code: "not_found", Message: "No such resource", Action: None},
	{match: is(ErrMethod), Status: 405, Code: "method_not_allowed", Message: "The HTTP method is not allowed for this resource", Action: None},
	{match: is(ErrRepeatedHeader), Status: 400, Code: "header_invalid", Message: "A header value is invalid: it was sent more than once", Action: CheckHeaders},
	{match: is(ErrThrottled), Status: 429, Code: "too_many_requests", Message: "Too many requests", Action: Retry, RetryAfter: time.Second},
	{match: is(ErrBodyTooLarge), Status: 400, Code: "request_invalid", Message: "Request body is invalid: it is too large", Action: CheckRequestBody},
	{match: is(ErrAccept), Status: 400, Code: "header_invalid", Message: "A header value is invalid: Accept", Action: CheckHeaders},

	{match: is(ErrNoAccessToken), Status: 401, Code: "unauthorized", Message: "Unauthorized access", Action: None, Challenge: bearer},
	{match: is(keys.ErrAccess), Status: 401, Code: "unauthorized", Message: "Unauthorized access", Action: None, Challenge: bearer},
	{match: is(keys.ErrAccessExpired), Status: 401, Code: "token_expired", Message: "The token has expired", Action: GetNewToken, Challenge: bearer},
	{match: anyOf(registration.ErrRevoked, ErrClientApplication), Status: 401, Code: "invalid_access_token_client_application", Message: "The access token is invalid due to invalid client application.", Action: ApplicationRegistration, Challenge: bearer},
	{match: is(ErrServiceProvider), Status: 400, Code: "invalid_parameter_service_provider", Message: "The service provider parameter value is missing or invalid.", Action: None},
	{match: is(ErrNotCovered), Status: 401, Code: "invalid_access_token_service_provider", Message: "The access token is invalid due to invalid service provider.", Action: ApplicationRegistration, Challenge: bearer},

	{match: is(ErrIdentityMissing), Status: 400, Code: "header_missing", Message: "Either x-sso-id or x-sso-link header is required for POST requests", Action: CheckHeaders},
	{match: is(ErrMintDeviceMissing), Status: 400, Code: "header_missing", Message: "AP-Device-Identifier header is required for POST requests", Action: CheckHeaders},
	{match: is(ErrRefreshTokenMissing), Status: 400, Code: "header_missing", Message: "AD-Service-Token header is required for GET requests", Action: CheckHeaders},
	{match: is(ErrLinkTokenMissing), Status: 401, Code: "header_missing", Message: "AD-Service-Token header is required for link requests", Action: CheckHeaders},
	{match: is(ErrUnlinkTokenMissing), Status: 401, Code: "header_missing", Message: "AD-Service-Token header is required for unlink requests", Action: CheckHeaders},
	{match: is(ErrListTokenMissing), Status: 401, Code: "header_missing", Message: "AD-Service-Token header is required for list requests", Action: CheckHeaders},
	{match: is(ErrHeaderMissing), Status: 400, Code: "header_missing", Message: "A required header is missing", Action: CheckHeaders},
	{match: is(ErrDevice), Status: 400, Code: "invalid_header_device_identifier", Message: "The device identifier header value is missing or invalid.", Action: None},
	{match: is(ErrTemporaryIdentity), Status: 400, Code: TemporaryIdentityCode, Message: temporaryIdentityMessage, Action: None},
	{match: is(ErrDeviceInfo), Status: 400, Code: "invalid_header_device_info", Message: "The device information header value is missing or invalid.", Action: None},
	{match: is(ErrSSOID), Status: 400, Code: "header_invalid", Message: "A header value is invalid: X-SSO-ID", Action: CheckHeaders},
	{match: is(ErrContentType), Status: 400, Code: "header_invalid", Message: "A header value is invalid: Content-Type", Action: CheckHeaders},

	{match: is(keys.ErrParse), Status: 401, Code: "header_invalid", Message: "Error validating JWT signature", Action: GetNewToken},
	{match: is(keys.ErrSignature), Status: 401, Code: "header_invalid", Message: "Invalid JWT signature in AD-Service-Token", Action: GetNewToken},
	{match: is(keys.ErrSubjectMissing), Status: 401, Code: "header_invalid", Message: "JWT subject (sub) is missing or empty in AD-Service-Token", Action: GetNewToken},
	{match: is(keys.ErrSubject), Status: 401, Code: "header_invalid", Message: "Error extracting JWT subject", Action: GetNewToken},
	{match: is(keys.ErrExpired), Status: 401, Code: "token_expired", Message: "The token has expired", Action: GetNewToken},
	{match: is(keys.ErrUnacceptable), Status: 400, Code: "token_invalid", Message: "The provided token is invalid", Action: GetNewToken},
	{match: is(profile.ErrNotMember), Status: 400, Code: "token_invalid", Message: "The provided token is invalid", Action: GetNewToken},
	{match: is(profile.ErrWrongDevice), Status: 400, Code: "token_invalid", Message: "The provided token is invalid", Action: GetNewToken, Details: "The token was issued to another device"},
	{match: anyOf(linkdirectory.ErrCode, profile.ErrCode, profile.ErrRaceLost), Status: 400, Code: "token_invalid", Message: "The provided token is invalid", Action: GetNewToken, Details: "The link code is unknown, expired or already used"},

	{match: as[*profile.PendingError], Status: 403, Code: "link_confirmation_pending", Message: "The device that made the code has to confirm", Action: Retry, RetryAfter: 3 * time.Second},

	{match: is(ErrBodyNull), Status: 400, Code: "request_null", Message: "Request object cannot be null", Action: None},
	{match: is(ErrDevicesEmpty), Status: 400, Code: "request_invalid", Message: "Devices list cannot be null or empty", Action: CheckRequestBody},
	{match: is(ErrBody), Status: 400, Code: "request_invalid", Message: "Request body is invalid", Action: CheckRequestBody},
	{match: is(profile.ErrTooManyDevices), Status: 400, Code: "request_invalid", Message: "The profile has too many devices", Action: None},

	{match: is(ErrForm), Status: 400, Code: "invalid_parameter_mvpd", Message: "The mvpd parameter value is missing or invalid.", Action: None, Details: "The body must be application/x-www-form-urlencoded, of at most 64 KiB, and name no parameter twice"},
	{match: is(mvpd.ErrUnknown), Status: 400, Code: "invalid_parameter_mvpd", Message: "The mvpd parameter value is missing or invalid.", Action: None},
	{match: is(mvpd.ErrInactive), Status: 400, Code: "invalid_integration", Message: "The integration between the specified service provider and mvpd does not exist or is disabled.", Action: None},
	{match: anyOf(ErrCode, session.ErrUnknown), Status: 400, Code: "invalid_parameter_code", Message: "The code parameter value is missing or invalid.", Action: None},
	{match: anyOf(session.ErrOver, session.ErrIncomplete, ErrStranger, logout.ErrUsed, answer.ErrGone, once.ErrTaken), Status: 400, Code: "invalid_authentication_session", Message: "The authentication session associated with this request is missing or invalid.", Action: None},
	{match: is(ErrResourcesBody), Status: 400, Code: "invalid_parameter_resources", Message: "The resources parameter value is missing or invalid.", Action: None, Details: "The body must be application/json, of at most 64 KiB"},
	{match: is(ErrResources), Status: 400, Code: "invalid_parameter_resources", Message: "The resources parameter value is missing or invalid.", Action: None},
	{match: is(ErrPartner), Status: 400, Code: "invalid_parameter_partner", Message: "The partner parameter value is missing or invalid.", Action: None},
	{match: is(ErrPartnerAccess), Status: 400, Code: "invalid_header_pfs_permission_access_not_present", Message: "The permission access status value from the partner framework status header is not present.", Action: None},
	{match: is(ErrPartnerUndetermined), Status: 400, Code: "invalid_header_pfs_permission_access_not_determined", Message: "The permission access status value from the partner framework status header is undetermined.", Action: None},
	{match: is(ErrPartnerDenied), Status: 400, Code: "invalid_header_pfs_permission_access_not_granted", Message: "The permission access status value from the partner framework status header is not granted.", Action: None},
	{match: is(ErrPartnerProvider), Status: 400, Code: "invalid_header_pfs_provider_id_not_determined", Message: "The provider id value from the partner framework status header is not associated with a known mvpd.", Action: None},
	{match: is(ErrPartnerMismatch), Status: 400, Code: "invalid_header_pfs_provider_id_mismatch", Message: "The provider id value from the partner framework status header does not match the mvpd sent as parameter.", Action: None},
	{match: is(ErrPartnerExpired), Status: 400, Code: "invalid_header_pfs_provider_info_expired", Message: "The provider information from the partner framework status header has expired.", Action: None},
	{match: is(ErrSAMLResponse), Status: 400, Code: "invalid_parameter_saml_response", Message: "The SAML response parameter value is missing or invalid.", Action: None},
	{match: is(ErrDomainName), Status: 400, Code: "invalid_parameter_domain_name", Message: "The domain name parameter value is missing or invalid.", Action: None},
	{match: is(ErrRedirectURL), Status: 400, Code: "invalid_parameter_redirect_url", Message: "The redirect URL parameter value is missing or invalid.", Action: None},

	{match: is(ErrMetadataCertificate), Status: 500, Code: "invalid_configuration_user_metadata_certificate", Message: "The user metadata certificate configuration is missing or invalid.", Action: Configuration},
	{match: is(ErrTrialOver), Status: 403, Code: TrialOverCode, Message: trialOverMessage, Action: Authentication},
	{match: is(ErrTrialSpent), Status: 403, Code: TrialSpentCode, Message: trialSpentMessage, Action: Authentication},

	oauth(registration.ErrInvalidRequest),
	oauth(registration.ErrInvalidRedirectURI),
	oauth(registration.ErrInvalidStatement),
	oauth(registration.ErrUnapprovedStatement),
	{match: is(registration.ErrBasic), Status: 401, Code: "invalid_client", Message: "Client authentication failed", Challenge: basic, registration: true},
	oauth(registration.ErrInvalidClient),
	oauth(registration.ErrUnauthorizedClient),
	oauth(registration.ErrUnsupportedGrantType),

	{match: as[*linkdirectory.GuessingError], Status: 429, Code: "too_many_requests", Message: "Too many requests", Action: Retry, Details: "Too many wrong link codes"},
	{match: as[*linkdirectory.ClosedError], Status: 429, Code: "too_many_requests", Message: "Too many requests", Action: Retry, Details: "Link codes of this length are not accepted at the moment"},
	{match: as[*UnknownCodesError], Status: 429, Code: "too_many_requests", Message: "Too many requests", Action: Retry, Details: "Too many unknown authentication codes"},
	{match: as[*profile.TooManyCodesError], Status: 429, Code: "too_many_requests", Message: "Too many requests", Action: Retry, Details: "Too many link codes were created"},

	{match: is(actors.ErrLevel), Status: 503, Code: "service_unavailable", Message: "The service is temporarily unavailable", Action: Retry, Details: "The format level of the cluster is too low for this; its operator has to raise it", RetryAfter: time.Minute},
	{match: anyOf(ErrCutOff, registration.ErrBehind, actors.ErrUnavailable, actors.ErrOverloaded, linkdirectory.ErrFull, slots.ErrBusy, keys.ErrNotYet), Status: 503, Code: "service_unavailable", Message: "The service is temporarily unavailable", Action: Retry, RetryAfter: time.Second},
	{match: unknownOutcome, Status: 503, Code: "service_unavailable", Message: "The service is temporarily unavailable", Action: Retry, Details: "the outcome is unknown; repeat the request", RetryAfter: time.Second},
}

// oauth is the row of an error that occurs below /o/ only;
// httpfront/docs/errors.md#registration-errors.
func oauth(e registration.Error) *Error {
	return &Error{match: is(e), Status: 400, Code: string(e), registration: true}
}

// Internal is what the client sees of a fault of ours.
var Internal = &Error{match: never, Status: 500, Code: "internal_error", Message: "An internal error occurred", Action: None}

// internalV2 is Internal in the words of the entitlement API.
var internalV2 = &Error{match: never, Status: 500, Code: "internal_server_error", Message: "The request failed due to an internal server error.", Action: None}

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
