package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

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

// seen is what a client of the SSO Service gets to see.
type seen struct {
	status                         int
	code, message, action, details string
	after                          time.Duration
	challenge                      bool
}

// TestCatalogue holds the contract's rows word for word: a change here is a
// change that clients notice.
func TestCatalogue(t *testing.T) {
	invalid := seen{400, "token_invalid", "The provided token is invalid", "get_new_token", "", 0, false}
	code := invalid
	code.details = "The link code is unknown, expired or already used"
	wrongDevice := invalid
	wrongDevice.details = "The token was issued to another device"
	unavailable := seen{503, "service_unavailable", "The service is temporarily unavailable", "retry", "", time.Second, false}
	unknown := unavailable
	unknown.details = "the outcome is unknown; repeat the request"
	noCode := seen{400, "invalid_parameter_code", "The code parameter value is missing or invalid.", "none", "", 0, false}
	noSession := seen{400, "invalid_authentication_session", "The authentication session associated with this request is missing or invalid.", "none", "", 0, false}
	internal := seen{500, "internal_error", "An internal error occurred", "none", "", 0, false}
	tests := []struct {
		err  error
		want seen
	}{
		{ErrNotFound, seen{404, "not_found", "No such resource", "none", "", 0, false}},
		{ErrMethod, seen{405, "method_not_allowed", "The HTTP method is not allowed for this resource", "none", "", 0, false}},
		{ErrRepeatedHeader, seen{400, "header_invalid", "A header value is invalid: it was sent more than once", "check_headers", "", 0, false}},
		{ErrThrottled, seen{429, "too_many_requests", "Too many requests", "retry", "", time.Second, false}},
		{ErrBodyTooLarge, seen{400, "request_invalid", "Request body is invalid: it is too large", "check_request_body", "", 0, false}},
		{ErrAccept, seen{400, "header_invalid", "A header value is invalid: Accept", "check_headers", "", 0, false}},
		{ErrNoAccessToken, seen{401, "unauthorized", "Unauthorized access", "none", "", 0, true}},
		{keys.ErrAccess, seen{401, "unauthorized", "Unauthorized access", "none", "", 0, true}},
		{keys.ErrAccessExpired, seen{401, "token_expired", "The token has expired", "get_new_token", "", 0, true}},
		{registration.ErrRevoked, seen{401, "invalid_access_token_client_application", "The access token is invalid due to invalid client application.", "application-registration", "", 0, true}},
		{ErrServiceProvider, seen{400, "invalid_parameter_service_provider", "The service provider parameter value is missing or invalid.", "none", "", 0, false}},
		{ErrNotCovered, seen{401, "invalid_access_token_service_provider", "The access token is invalid due to invalid service provider.", "application-registration", "", 0, true}},
		{ErrIdentityMissing, seen{400, "header_missing", "Either x-sso-id or x-sso-link header is required for POST requests", "check_headers", "", 0, false}},
		{ErrMintDeviceMissing, seen{400, "header_missing", "AP-Device-Identifier header is required for POST requests", "check_headers", "", 0, false}},
		{ErrRefreshTokenMissing, seen{400, "header_missing", "AD-Service-Token header is required for GET requests", "check_headers", "", 0, false}},
		{ErrLinkTokenMissing, seen{401, "header_missing", "AD-Service-Token header is required for link requests", "check_headers", "", 0, false}},
		{ErrUnlinkTokenMissing, seen{401, "header_missing", "AD-Service-Token header is required for unlink requests", "check_headers", "", 0, false}},
		{ErrListTokenMissing, seen{401, "header_missing", "AD-Service-Token header is required for list requests", "check_headers", "", 0, false}},
		{ErrHeaderMissing, seen{400, "header_missing", "A required header is missing", "check_headers", "", 0, false}},
		{ErrDevice, seen{400, "invalid_header_device_identifier", "The device identifier header value is missing or invalid.", "none", "", 0, false}},
		{ErrTemporaryIdentity, seen{400, "invalid_header_identity_for_temporary_access", "The identity for temporary access header value is missing or invalid.", "none", "", 0, false}},
		{ErrDeviceInfo, seen{400, "invalid_header_device_info", "The device information header value is missing or invalid.", "none", "", 0, false}},
		{ErrSSOID, seen{400, "header_invalid", "A header value is invalid: X-SSO-ID", "check_headers", "", 0, false}},
		{ErrContentType, seen{400, "header_invalid", "A header value is invalid: Content-Type", "check_headers", "", 0, false}},
		{keys.ErrParse, seen{401, "header_invalid", "Error validating JWT signature", "get_new_token", "", 0, false}},
		{keys.ErrSignature, seen{401, "header_invalid", "Invalid JWT signature in AD-Service-Token", "get_new_token", "", 0, false}},
		{keys.ErrSubjectMissing, seen{401, "header_invalid", "JWT subject (sub) is missing or empty in AD-Service-Token", "get_new_token", "", 0, false}},
		{keys.ErrSubject, seen{401, "header_invalid", "Error extracting JWT subject", "get_new_token", "", 0, false}},
		{keys.ErrExpired, seen{401, "token_expired", "The token has expired", "get_new_token", "", 0, false}},
		{keys.ErrUnacceptable, invalid},
		{profile.ErrNotMember, invalid},
		{profile.ErrWrongDevice, wrongDevice},
		{linkdirectory.ErrCode, code},
		{profile.ErrCode, code},
		{profile.ErrRaceLost, code},
		{&profile.PendingError{}, seen{403, "link_confirmation_pending", "The device that made the code has to confirm", "retry", "", 3 * time.Second, false}},
		{ErrBodyNull, seen{400, "request_null", "Request object cannot be null", "none", "", 0, false}},
		{ErrDevicesEmpty, seen{400, "request_invalid", "Devices list cannot be null or empty", "check_request_body", "", 0, false}},
		{ErrBody, seen{400, "request_invalid", "Request body is invalid", "check_request_body", "", 0, false}},
		{profile.ErrTooManyDevices, seen{400, "request_invalid", "The profile has too many devices", "none", "", 0, false}},
		{ErrClientApplication, seen{401, "invalid_access_token_client_application", "The access token is invalid due to invalid client application.", "application-registration", "", 0, true}},
		{mvpd.ErrUnknown, seen{400, "invalid_parameter_mvpd", "The mvpd parameter value is missing or invalid.", "none", "", 0, false}},
		{mvpd.ErrInactive, seen{400, "invalid_integration", "The integration between the specified service provider and mvpd does not exist or is disabled.", "none", "", 0, false}},
		{ErrCode, noCode},
		{session.ErrUnknown, noCode},
		{session.ErrOver, noSession},
		{session.ErrIncomplete, noSession},
		{ErrStranger, noSession},
		{logout.ErrUsed, noSession},
		{ErrResources, seen{400, "invalid_parameter_resources", "The resources parameter value is missing or invalid.", "none", "", 0, false}},
		{ErrForm, seen{400, "invalid_parameter_mvpd", "The mvpd parameter value is missing or invalid.", "none", "The body must be application/x-www-form-urlencoded, of at most 64 KiB, and name no parameter twice", 0, false}},
		{ErrResourcesBody, seen{400, "invalid_parameter_resources", "The resources parameter value is missing or invalid.", "none", "The body must be application/json, of at most 64 KiB", 0, false}},
		{ErrPartner, seen{400, "invalid_parameter_partner", "The partner parameter value is missing or invalid.", "none", "", 0, false}},
		{ErrPartnerAccess, seen{400, "invalid_header_pfs_permission_access_not_present", "The permission access status value from the partner framework status header is not present.", "none", "", 0, false}},
		{ErrPartnerUndetermined, seen{400, "invalid_header_pfs_permission_access_not_determined", "The permission access status value from the partner framework status header is undetermined.", "none", "", 0, false}},
		{ErrPartnerDenied, seen{400, "invalid_header_pfs_permission_access_not_granted", "The permission access status value from the partner framework status header is not granted.", "none", "", 0, false}},
		{ErrPartnerProvider, seen{400, "invalid_header_pfs_provider_id_not_determined", "The provider id value from the partner framework status header is not associated with a known mvpd.", "none", "", 0, false}},
		{ErrPartnerMismatch, seen{400, "invalid_header_pfs_provider_id_mismatch", "The provider id value from the partner framework status header does not match the mvpd sent as parameter.", "none", "", 0, false}},
		{ErrPartnerExpired, seen{400, "invalid_header_pfs_provider_info_expired", "The provider information from the partner framework status header has expired.", "none", "", 0, false}},
		{ErrSAMLResponse, seen{400, "invalid_parameter_saml_response", "The SAML response parameter value is missing or invalid.", "none", "", 0, false}},
		{ErrMetadataCertificate, seen{500, "invalid_configuration_user_metadata_certificate", "The user metadata certificate configuration is missing or invalid.", "configuration", "", 0, false}},
		{ErrTrialOver, seen{403, "temporary_access_duration_limit_exceeded", "The temporary access duration limit has been exceeded.", "authentication", "", 0, false}},
		{ErrTrialSpent, seen{403, "temporary_access_resources_limit_exceeded", "The temporary access resources limit has been exceeded.", "authentication", "", 0, false}},
		{ErrDomainName, seen{400, "invalid_parameter_domain_name", "The domain name parameter value is missing or invalid.", "none", "", 0, false}},
		{ErrRedirectURL, seen{400, "invalid_parameter_redirect_url", "The redirect URL parameter value is missing or invalid.", "none", "", 0, false}},
		{&linkdirectory.GuessingError{RetryAfter: 7 * time.Minute}, seen{429, "too_many_requests", "Too many requests", "retry", "Too many wrong link codes", 7 * time.Minute, false}},
		{&linkdirectory.ClosedError{RetryAfter: time.Minute}, seen{429, "too_many_requests", "Too many requests", "retry", "Link codes of this length are not accepted at the moment", time.Minute, false}},
		{&UnknownCodesError{RetryAfter: time.Minute}, seen{429, "too_many_requests", "Too many requests", "retry", "Too many unknown authentication codes", time.Minute, false}},
		{&profile.TooManyCodesError{RetryAfter: time.Hour}, seen{429, "too_many_requests", "Too many requests", "retry", "Too many link codes were created", time.Hour, false}},
		{actors.ErrUnavailable, unavailable},
		{&actors.LevelError{Kind: "once", Has: 1, Need: 2}, seen{503, "service_unavailable", "The service is temporarily unavailable", "retry", "The format level of the cluster is too low for this; its operator has to raise it", time.Minute, false}},
		{actors.ErrOverloaded, unavailable},
		{&actors.OverloadedError{RetryAfter: 10 * time.Millisecond}, unavailable}, // never less than a second
		{&actors.OverloadedError{RetryAfter: 1200 * time.Millisecond}, seen{503, "service_unavailable", "The service is temporarily unavailable", "retry", "", 1200 * time.Millisecond, false}},
		{linkdirectory.ErrFull, unavailable},
		{slots.ErrBusy, unavailable},
		{actors.ErrUnknown, unknown},
		{context.DeadlineExceeded, unknown},
		{context.Canceled, unknown},
		{actors.ErrInternal, internal},
		{errors.New("surprise"), internal},
	}
	rows := make(map[*Error]bool)
	for _, tt := range tests {
		t.Run(tt.err.Error(), func(t *testing.T) {
			e, after := Classify(fmt.Errorf("ask something for somebody: %w", tt.err))
			rows[e] = true
			got := seen{e.Status, e.Code, e.Message, string(e.Action), e.Details, after, e.Challenge != ""}
			if diff := cmp.Diff(tt.want, got, cmp.AllowUnexported(seen{})); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
		})
	}
	for _, e := range Catalogue() {
		if !rows[e] && !e.registration {
			t.Errorf("row %d %s %q is not tested", e.Status, e.Code, e.Message)
		}
	}
}

// TestShapes holds the three shapes of httpfront/docs/errors.md#shapes.
func TestShapes(t *testing.T) {
	r := &Request{}
	for i := range r.ID {
		r.ID[i] = byte(i)
	}
	const trace = "00010203-0405-0607-0809-0a0b0c0d0e0f"
	tests := []struct {
		name   string
		family Family
		err    error
		want   string
	}{
		{
			"SSO Service", SSO, profile.ErrWrongDevice,
			`{"status":"BAD_REQUEST","error":{"status":400,"code":"token_invalid","message":"The provided token is invalid","action":"get_new_token","details":"The token was issued to another device","helpUrl":"https://help.example/\"","trace":"` + trace + `"}}`,
		},
		{
			"entitlement", V2, ErrNotFound,
			`{"status":404,"code":"not_found","message":"No such resource","action":"none","helpUrl":"https://help.example/\"","trace":"` + trace + `"}`,
		},
		{
			"entitlement, our fault", V2, errors.New("surprise"),
			`{"status":500,"code":"internal_server_error","message":"The request failed due to an internal server error.","action":"none","helpUrl":"https://help.example/\"","trace":"` + trace + `"}`,
		},
		{"registration", OAuth, registration.ErrInvalidClient, `{"error":"invalid_client"}`},
		{"registration, Basic", OAuth, registration.ErrBasic, `{"error":"invalid_client","error_description":"Client authentication failed"}`},
		{"registration, not found", OAuth, ErrNotFound, `{"error":"not_found","error_description":"No such resource"}`},
		{"registration, method", OAuth, ErrMethod, `{"error":"method_not_allowed","error_description":"The HTTP method is not allowed for this resource"}`},
		{"registration, repeated header", OAuth, ErrRepeatedHeader, `{"error":"invalid_request"}`},
		{"registration, body", OAuth, ErrBodyTooLarge, `{"error":"invalid_request"}`},
		{"registration, our fault", OAuth, errors.New("surprise"), `{"error":"server_error","error_description":"An internal error occurred"}`},
		{"registration, no majority", OAuth, actors.ErrUnavailable, `{"error":"temporarily_unavailable","error_description":"The service is temporarily unavailable"}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			e, _ := Classify(tt.err)
			got := string(e.AppendBody(nil, tt.family, `https://help.example/"`, r))
			if got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
			if !json.Valid([]byte(got)) {
				t.Error("not JSON")
			}
		})
	}
}

func TestStatusName(t *testing.T) {
	for _, e := range Catalogue() {
		if e.Status != 500 && StatusName(e.Status) == "INTERNAL_SERVER_ERROR" {
			t.Errorf("status %d has no name", e.Status)
		}
	}
}
