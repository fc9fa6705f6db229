package api

import (
	"cmp"
	"net/http"
)

// What is wrong with temporary access is an error of a call for profiles and of a decision.
const (
	TrialOverCode     = "temporary_access_duration_limit_exceeded"
	trialOverMessage  = "The temporary access duration limit has been exceeded."
	TrialSpentCode    = "temporary_access_resources_limit_exceeded"
	trialSpentMessage = "The temporary access resources limit has been exceeded."

	TemporaryIdentityCode    = "invalid_header_identity_for_temporary_access"
	temporaryIdentityMessage = "The identity for temporary access header value is missing or invalid."
)

// items are the errors of one decision inside an answer of 200;
// httpfront/docs/errors.md#errors-of-single-decisions. The inner status is 403, unless it
// is given.
var items = itemsByCode(
	Error{Code: "preauthorization_denied_by_mvpd", Action: None, Message: `The MVPD has returned a "Deny" decision when requesting pre-authorization for the specified resource.`},
	Error{Code: "authorization_denied_by_mvpd", Action: None, Message: `The MVPD has returned a "Deny" decision when requesting authorization for the specified resource.`},
	Error{Code: TemporaryIdentityCode, Status: http.StatusBadRequest, Action: None, Message: temporaryIdentityMessage},
	Error{Code: TrialOverCode, Action: Authentication, Message: trialOverMessage},
	Error{Code: TrialSpentCode, Action: Authentication, Message: trialSpentMessage},
	Error{Code: "authorization_denied_by_parental_controls", Action: None, Message: `The MVPD has returned a "Deny" decision due parental controls settings for the specified resource.`},
	Error{Code: "too_many_resources", Action: Configuration, Message: "The authorization or preauthorization request failed because too many resources were queried. Please contact support team to properly configure the authorization and preauthorization limitations."},
	Error{Code: "authenticated_profile_missing", Action: Authentication, Message: "The authenticated profile associated with this request is missing."},
	Error{Code: "authenticated_profile_expired", Action: Authentication, Message: "The authenticated profile associated with this request has expired."},
	Error{Code: "authenticated_profile_invalidated", Action: Authentication, Message: "The authenticated profile associated with this request has been invalidated."},
	Error{Code: "authorization_denied_by_hba_policies", Action: Authentication, Message: "The MVPD denied because of home-based authentication policy: the login was made at home and the device is no longer there; the user must re-authenticate."},
	Error{Code: "authorization_denied_by_session_invalidated", Action: Authentication, Message: "The authentication session was invalidated by the identity provider. The user must re-authenticate with a supported MVPD in order to continue."},
	Error{Code: "authorization_denied_by_degradation_rule", Action: None, Message: "The integration between the specified service provider and mvpd has a degradation rule applied that denies authorization for the requested resources."},
	Error{Code: "identity_not_recognized_by_mvpd", Action: Authentication, Message: "The authorization request failed due to the fact that user identity was not recognized by the MVPD."},
	Error{Code: "network_received_error", Action: Retry, Message: "There was a read error while retrieving the response from the associated partner service. Retrying the request might solve the issue."},
	Error{Code: "network_connection_timeout", Action: Retry, Message: "There was a connection timeout with the associated partner service. Retrying the request might solve the issue."},
	Error{Code: "maximum_execution_time_exceeded", Action: Retry, Message: "The request did not complete in the maximum allowed time. Retrying the request might solve the issue."},
)

func itemsByCode(errors ...Error) map[string]*Error {
	byCode := make(map[string]*Error, len(errors))
	for _, e := range errors {
		e.Status, e.match = cmp.Or(e.Status, http.StatusForbidden), never
		byCode[e.Code] = &e
	}
	return byCode
}

// Item is the error of one decision; a code that is not listed is a fault of
// ours.
func Item(code string) *Error {
	if e, ok := items[code]; ok {
		return e
	}
	return Internal
}

// With is the error with details for people; with none it is the error itself.
func (e *Error) With(details string) *Error {
	if details == "" || e == Internal {
		return e
	}
	told := *e
	told.Details = details
	return &told
}
