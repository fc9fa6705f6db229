package entitlement_test

import (
	"strings"
	"testing"
	"time"

	"ssod/httpfront/fronttest"
)

// mistake is a call with something wrong in it, and its answer.
type mistake struct {
	name   string
	call   fronttest.Call
	status int
	code   string
}

// mistakes go through the check order: what is wrong first decides.
func mistakes(a *app) []mistake {
	const formType, jsonType = "application/x-www-form-urlencoded", "application/json"
	with := func(c fronttest.Call, contentType, body string) fronttest.Call {
		return withBody(c.With("Content-Type", contentType), body)
	}
	post := func(body string) fronttest.Call {
		return with(a.call("POST", "sessions", "phone"), formType, body)
	}
	decide := func(mvpd, body string) fronttest.Call {
		return with(a.call("POST", "decisions/authorize/"+mvpd, "phone"), jsonType, body)
	}
	expired := a.access
	a.node.Sleep(7 * time.Hour)
	a.access = a.node.AccessToken(a, "STREAM1", "STREAM2")
	unknown := a.at("NOSUCH")
	rival := a.at("RIVAL1")
	partner := func(path, body string) fronttest.Call {
		return with(a.call("POST", path, "phone"), formType, body)
	}
	large := strings.Repeat("a", 70<<10)
	return []mistake{
		{"no access token", a.call("GET", "profiles", "phone", "Authorization", ""), 401, "invalid_access_token_client_application"},
		{"garbage as access token", a.call("GET", "configuration", "", "Authorization", "Bearer x"), 401, "invalid_access_token_client_application"},
		{"basic authorization", a.call("GET", "configuration", "", "Authorization", "Basic eA=="), 401, "invalid_access_token_client_application"},
		{"expired access token", a.call("GET", "profiles", "phone", "Authorization", "Bearer "+expired), 401, "token_expired"},
		{"unknown service provider", unknown.call("GET", "profiles", "phone"), 400, "invalid_parameter_service_provider"},
		{"service provider of somebody else", rival.call("GET", "profiles", "phone"), 401, "invalid_access_token_service_provider"},
		{"no device", a.call("GET", "profiles", ""), 400, "invalid_header_device_identifier"},
		{"malformed device", a.call("GET", "profiles", "", "AP-Device-Identifier", "phone"), 400, "invalid_header_device_identifier"},
		{"malformed device where none is needed", a.call("GET", "configuration", "", "AP-Device-Identifier", "phone"), 400, "invalid_header_device_identifier"},
		{"malformed device info", a.call("GET", "profiles", "phone", "X-Device-Info", "@@@"), 400, "invalid_header_device_info"},
		{"malformed device info of a session", with(a.call("POST", "sessions", "phone", "X-Device-Info", "WzFd"), formType, ""), 400, "invalid_header_device_info"},
		{"malformed device info of a decision", with(a.call("POST", "decisions/authorize/cable", "phone", "X-Device-Info", "WzFd"), jsonType, "{}"), 400, "invalid_header_device_info"},
		{"unknown MVPD of a session", post("mvpd=nosuch"), 400, "invalid_parameter_mvpd"},
		{"inactive MVPD of a session", post("mvpd=closed"), 400, "invalid_integration"},
		{"MVPD of a kind to come", post("mvpd=later"), 400, "invalid_integration"},
		{"redirect elsewhere", post("redirectUrl=https%3A%2F%2Fevil.example"), 400, "invalid_parameter_redirect_url"},
		{"a parameter twice", post("mvpd=cable&mvpd=plain"), 400, "invalid_parameter_mvpd"},
		{"a form that cannot be read", post("mvpd=%zz"), 400, "invalid_parameter_mvpd"},
		{"a form that is too large", post(large), 400, "invalid_parameter_mvpd"},
		{"a large body where none counts", withBody(a.call("GET", "profiles/nosuch", "phone"), large), 400, "invalid_parameter_mvpd"},
		{"a decision that is too large", decide("cable", large), 400, "invalid_parameter_resources"},
		{"unknown partner", partner("sessions/sso/Nobody", ""), 400, "invalid_parameter_partner"},
		{"partner in another spelling", partner("sessions/sso/apple", ""), 400, "invalid_parameter_partner"},
		{"redirect elsewhere with a partner", partner("sessions/sso/Apple", "redirectUrl=https%3A%2F%2Fevil.example"), 400, "invalid_parameter_redirect_url"},
		{"no device with a partner", with(a.call("POST", "sessions/sso/Apple", ""), formType, ""), 400, "invalid_header_device_identifier"},
		{"unknown partner of a profile", partner("profiles/sso/Nobody", "SAMLResponse=PHg%2B"), 400, "invalid_parameter_partner"},
		{"nothing from a partner", partner("profiles/sso/Apple", ""), 400, "invalid_parameter_saml_response"},
		{"no Base64 from a partner", partner("profiles/sso/Apple", "SAMLResponse=%3Cx%3E"), 400, "invalid_parameter_saml_response"},
		{"JSON from a partner", with(a.call("POST", "profiles/sso/Apple", "phone"), jsonType, `{"SAMLResponse":"PHg+"}`), 400, "invalid_parameter_saml_response"},
		{"too much from a partner", partner("profiles/sso/Apple", large), 400, "invalid_parameter_saml_response"},
		{"no access token with a partner", a.call("POST", "profiles/sso/Apple", "phone", "Authorization", ""), 401, "invalid_access_token_client_application"},
		{"method of a partner", a.call("GET", "sessions/sso/Apple", "phone"), 405, "method_not_allowed"},
		{"a session as JSON", with(a.call("POST", "sessions", "phone"), jsonType, "{}"), 400, "invalid_parameter_mvpd"},
		{"unknown code", a.call("GET", "sessions/ZZZZZZZ", ""), 400, "invalid_parameter_code"},
		{"malformed code", a.call("GET", "sessions/abc", ""), 400, "invalid_parameter_code"},
		{"unknown code to resume", with(a.call("POST", "sessions/ZZZZZZZ", ""), formType, ""), 400, "invalid_parameter_code"},
		{"unknown code of a profile", a.call("GET", "profiles/code/ZZZZZZZ", ""), 400, "invalid_parameter_code"},
		{"unknown MVPD of a profile", a.call("GET", "profiles/nosuch", "phone"), 400, "invalid_parameter_mvpd"},
		{"inactive MVPD of a profile", a.call("GET", "profiles/closed", "phone"), 400, "invalid_integration"},
		{"word as MVPD", a.call("GET", "profiles/code", "phone"), 400, "invalid_parameter_mvpd"},
		{"identity for temporary access that is no Base64", a.call("GET", "profiles/cable", "phone", "AP-TempPass-Identity", "@"), 400, "invalid_header_identity_for_temporary_access"},
		{"identity for temporary access of a code", a.call("GET", "profiles/code/ZZZZZZZ", "", "AP-TempPass-Identity", "W10="), 400, "invalid_header_identity_for_temporary_access"},
		{"no body", decide("cable", ""), 400, "invalid_parameter_resources"},
		{"broken body", decide("cable", "{"), 400, "invalid_parameter_resources"},
		{"no resources", decide("cable", "{}"), 400, "invalid_parameter_resources"},
		{"one resource without a list", decide("cable", `{"resources":"x"}`), 400, "invalid_parameter_resources"},
		{"an empty resource", decide("cable", `{"resources":[""]}`), 400, "invalid_parameter_resources"},
		{"a number as resource", decide("cable", `{"resources":[1]}`), 400, "invalid_parameter_resources"},
		{"a resource that cannot stand in XML", decide("cable", `{"resources":["\u0001"]}`), 400, "invalid_parameter_resources"},
		{"resources before the MVPD", decide("nosuch", `{}`), 400, "invalid_parameter_resources"},
		{"unknown MVPD of a decision", decide("nosuch", `{"resources":["x"]}`), 400, "invalid_parameter_mvpd"},
		{"inactive MVPD of a decision", decide("closed", `{"resources":["x"]}`), 400, "invalid_integration"},
		{"decision as form", with(a.call("POST", "decisions/authorize/cable", "phone"), formType, "x"), 400, "invalid_parameter_resources"},
		{"logout with a blank redirectUrl", a.call("GET", "logout/cable?redirectUrl=", "phone"), 400, "invalid_parameter_redirect_url"},
		{"logout with two", a.call("GET", "logout/cable?redirectUrl=streamapp://a&redirectUrl=streamapp://a", "phone"), 400, "invalid_parameter_redirect_url"},
		{"domain of somebody else", post("domainName=evil.example"), 400, "invalid_parameter_domain_name"},
		{"a URL as domain", post("domainName=https%3A%2F%2Fstream.example"), 400, "invalid_parameter_domain_name"},
		{"domain before redirect", post("domainName=x&redirectUrl=x"), 400, "invalid_parameter_domain_name"},
		{"unknown MVPD of a logout", a.call("GET", "logout/nosuch?redirectUrl=https%3A%2F%2Fstream.example", "phone"), 400, "invalid_parameter_mvpd"},
		{"method", a.call("DELETE", "profiles", "phone"), 405, "method_not_allowed"},
		{"path", a.call("GET", "nothing", "phone"), 404, "not_found"},
	}
}

func withBody(c fronttest.Call, body string) fronttest.Call {
	c.Body = body
	return c
}

func TestErrors(t *testing.T) {
	a := start(t, realms)
	for _, tt := range mistakes(a) {
		t.Run(tt.name, func(t *testing.T) {
			r := a.do(tt.call)
			if got := r.Header.Get("Content-Type"); got != "application/json;charset=UTF-8" {
				t.Errorf("content type %q", got)
			}
			if r.StatusCode != tt.status || r.Text("code") != tt.code {
				t.Errorf("got %d %s, want %d %s", r.StatusCode, r.Raw, tt.status, tt.code)
			}
			if again := tt.code == "token_expired"; again != (r.Text("action") == "get_new_token") {
				t.Errorf("action %s", r.Text("action"))
			}
			if challenged := r.Header.Get("WWW-Authenticate") != ""; challenged != (tt.status == 401) {
				t.Errorf("WWW-Authenticate: %v", challenged)
			}
		})
	}
}

// What a browser opens answers with pages, whatever is wrong.
func TestPagesOfErrors(t *testing.T) {
	a := start(t, realms)
	b := a.browser()
	incomplete := a.begin("phone", "").Text("code")
	for path, status := range map[string]int{
		"/api/v2/authenticate/NOSUCH/ZZZZZZZ":        400,
		"/api/v2/authenticate/STREAM1/ZZZZZZZ":       400,
		"/api/v2/authenticate/STREAM1/x":             400,
		"/api/v2/authenticate/STREAM1/" + incomplete: 400,
		"/api/v2/authenticate/callback":              400,
		"/api/v2/authenticate/callback?state=x":      400,
		"/api/v2/authenticate/callback?state=%zz":    400,
		"/api/v2/authenticate/callback?state=A.B.C":  400,
		"/api/v2/authenticate/STREAM1":               404,
		"/api/v2/authenticate/STREAM1/ZZZZZZZ/more":  404,
		"/api/v2/logout-agent/x":                     400,
		"/api/v2/logout-agent/STREAM1.x":             400,
		"/api/v2/logout-agent/callback":              400,
		"/api/v2/logout-agent":                       404,
	} {
		r := b.visit(path, nil)
		if r.StatusCode != status || r.Header.Get("Content-Type") != "text/html; charset=utf-8" {
			t.Errorf("%s: got %d %s, want a page with %d", path, r.StatusCode, r.Header.Get("Content-Type"), status)
		}
	}
}
