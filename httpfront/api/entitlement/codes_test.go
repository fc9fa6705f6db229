package entitlement_test

import (
	"context"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ssod/actors"
	"ssod/actors/device"
	"ssod/actors/login"
	"ssod/cluster"
	"ssod/httpfront/api/entitlement"
	"ssod/httpfront/fronttest"
	"ssod/httpfront/fronttest/openapitest"
)

// codes are all that the API says is wrong with a whole call. Apps know them from
// its documentation, and go by the action of one that they do not know.
var codes = []string{
	"invalid_access_token_client_application", "invalid_access_token_service_provider", "token_expired",
	"invalid_parameter_service_provider", "invalid_parameter_mvpd", "invalid_parameter_code", "invalid_parameter_resources",
	"invalid_parameter_domain_name", "invalid_parameter_redirect_url", "invalid_parameter_partner", "invalid_parameter_saml_response",
	"invalid_header_device_identifier", "invalid_header_device_info", "invalid_header_identity_for_temporary_access",
	"invalid_integration", "invalid_authentication_session", "internal_server_error",
	"temporary_access_duration_limit_exceeded", "temporary_access_resources_limit_exceeded",
	"invalid_header_pfs_permission_access_not_present", "invalid_header_pfs_permission_access_not_determined",
	"invalid_header_pfs_permission_access_not_granted", "invalid_header_pfs_provider_id_not_determined",
	"invalid_header_pfs_provider_id_mismatch", "invalid_header_pfs_provider_info_expired",
	"invalid_configuration_user_metadata_certificate",
	"header_invalid",                  // a service token, where the realm is strict
	"method_not_allowed", "not_found", // of HTTP rather than of the API
	"too_many_requests", "service_unavailable", // with Retry-After
}

// failing devices cannot be asked.
type failing struct {
	entitlement.Devices
	err error
}

func (f failing) Logins(context.Context, cluster.RequestID, device.ID) ([]*login.Login, error) {
	return nil, f.err
}

// withoutDevices is an app on a node whose devices cannot be asked.
func withoutDevices(t *testing.T, err error) *app {
	t.Helper()
	return startWith(t, realms, func(o *entitlement.Options) { o.Devices = failing{o.Devices, err} })
}

// startWith starts one more node of a test.
func startWith(t *testing.T, config string, change func(*entitlement.Options)) *app {
	t.Helper()
	n := fronttest.Start(t, fronttest.Options{Config: config, Entitlement: change})
	return &app{t, n, n.AccessToken(t, "STREAM1"), "STREAM1"}
}

// TestCodesAreTheAPIsOwn plays everything that can be wrong with a call: no code
// is of another API, each of them occurs, and the document lists exactly these.
func TestCodesAreTheAPIsOwn(t *testing.T) {
	a := start(t, realms)
	said := map[string]bool{}
	hear := func(r fronttest.Answer) { said[r.Text("code")] = true }
	for _, m := range mistakes(a) {
		hear(a.do(m.call))
	}
	superseded := a.begin("phone", whole("cable")).Text("code")
	a.begin("phone", whole("cable"))
	hear(a.do(a.call("GET", "sessions/"+superseded, "")))
	ada := identity(`{"email":"ada"}`)
	a.decisions("authorize", "phone", "trial", []string{"a"})
	for _, resource := range []string{"a", "b"} {
		a.decisions("authorize", "phone", "promo", []string{resource}, ada...)
	}
	hear(a.do(a.call("GET", "profiles/promo", "phone", ada...)))
	a.node.Sleep(time.Hour)
	hear(a.do(a.call("GET", "profiles/trial", "phone")))
	sealed := startWith(t, strings.Replace(realms, "kind: sandbox, logoUrl", "kind: sandbox, encrypted: [maxRating], logoUrl", 1), nil)
	sealed.logIn("phone", "cable", "ada")
	hear(sealed.do(sealed.call("GET", "profiles", "phone")))
	framed := withPartner(t, "")
	for _, header := range [][]string{
		nil, status("notDetermined", "DishOne", nextYear), status("denied", "DishOne", nextYear), status("granted", "Other", nextYear),
		good(), status("granted", "DishOne", time.Now().Add(-time.Minute)),
	} {
		hear(framed.post("phone", "profiles/sso/Apple", url.Values{"mvpd": {"cable"}, "SAMLResponse": {"YQ=="}}, header...))
	}
	strict := start2(a, `strictTokens: true`)
	hear(strict.do(strict.call("GET", "profiles", "phone", "AD-Service-Token", "abc")))
	for _, err := range []error{actors.ErrUnavailable, errors.New("surprise")} {
		broken := withoutDevices(t, err)
		hear(broken.do(broken.call("GET", "profiles", "phone")))
	}
	throttled := startWith(t, strings.Replace(realms, "enabled: false", "enabled: true", 1), nil)
	for range 20 {
		hear(throttled.do(throttled.call("GET", "profiles", "", "Accept", "application/json")))
	}

	want := slices.Sorted(slices.Values(codes))
	if diff := cmp.Diff(want, slices.Sorted(maps.Keys(said))); diff != "" {
		t.Errorf("said: -want +got\n%s", diff)
	}
	doc, err := openapitest.Document()
	if err != nil {
		t.Fatal(err)
	}
	var documented []string
	for _, code := range doc.Components.Schemas["FlatError"].Value.Properties["code"].Value.Enum {
		documented = append(documented, code.(string))
	}
	slices.Sort(documented)
	if diff := cmp.Diff(want, documented); diff != "" {
		t.Errorf("documented: -want +got\n%s", diff)
	}
}

// TestPartnerFallsBack: an app that asks for a partner is told to go on without.
func TestPartnerFallsBack(t *testing.T) {
	a := start(t, realms)
	post := func(path, form string) fronttest.Answer {
		return a.do(withBody(a.call("POST", path, "phone").With("Content-Type", "application/x-www-form-urlencoded"), form))
	}
	r := post("sessions/sso/Apple", "domainName=stream.example&redirectUrl=https%3A%2F%2Fstream.example%2Fdone")
	a.same("without an MVPD", []any{r.StatusCode, r.Text("actionName"), r.Text("actionType"), r.Text("reasonType"), r.JSON["missingParameters"]},
		[]any{http.StatusOK, "resume", "direct", "configuration_fallback", []any{"mvpd"}})
	r = post("sessions/"+r.Text("code"), "mvpd=cable")
	a.same("resumed", []string{r.Text("actionName"), r.Text("reasonType")}, []string{"authenticate", "none"})

	r = post("sessions/sso/Apple", whole("cable"))
	a.same("whole", []string{r.Text("actionName"), r.Text("actionType"), r.Text("reasonType")}, []string{"authenticate", "interactive", "configuration_fallback"})
	if end := a.browser().logIn(a.sp, r.Text("code"), "ada"); end != home {
		t.Errorf("the browser ended at %s", end)
	}
	r = post("sessions/sso/Apple", whole("cable"))
	a.same("with a login", []string{r.Text("actionName"), r.Text("reasonType")}, []string{"authorize", "authenticated"})

	r = post("profiles/sso/Apple", "SAMLResponse=PHNhbWxwOlJlc3BvbnNlLz4%3D")
	a.same("profile", []any{r.StatusCode, string(r.Raw)}, []any{http.StatusOK, `{"profiles":{}}`})
}

// TestHeadersSentTwice: nobody knows which of two was looked at on the way, so
// neither counts, and the connection ends.
func TestHeadersSentTwice(t *testing.T) {
	a := start(t, realms)
	phone := a.mint("phone", "viewer")
	a.logIn("tv", "cable", "ada", "AD-Service-Token", a.mint("tv", "viewer"))
	strict := start2(a, `strictTokens: true`)
	own := strict.mint("phone", "viewer")
	tests := []struct {
		on            *app
		header, value string
		status        int
		want          string
	}{
		{a, "X-Device-Info", "e30=", 200, `{"profiles":{"cable":`},
		{a, "AD-Service-Token", phone, 200, `{"profiles":{}}`},
		{strict, "AD-Service-Token", own, 401, `"code":"header_invalid"`},
		{a, "AP-Device-Identifier", fronttest.Device("phone"), 400, `"code":"invalid_header_device_identifier"`},
		{a, "Authorization", "Bearer " + a.access, 401, `"code":"invalid_access_token_client_application"`},
	}
	for _, tt := range tests {
		c := tt.on.call("GET", "profiles", "phone", "AD-Service-Token", phone, "X-Device-Info", "e30=")
		request, err := http.NewRequest(c.Method, "http://"+tt.on.node.Address().String()+c.Path, nil)
		if err != nil {
			t.Fatal(err)
		}
		for name, value := range c.Header {
			request.Header.Set(name, value)
		}
		request.Header[http.CanonicalHeaderKey(tt.header)] = []string{tt.value, tt.value}
		r, err := http.DefaultTransport.RoundTrip(request)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(r.Body)
		r.Body.Close()
		if err != nil || r.StatusCode != tt.status || !strings.Contains(string(body), tt.want) {
			t.Errorf("%s twice: got %d %s, want %d %s (%v)", tt.header, r.StatusCode, body, tt.status, tt.want, err)
		}
		if secret := tt.header != "X-Device-Info"; r.Close != secret {
			t.Errorf("%s twice: the connection ends: %v", tt.header, r.Close)
		}
	}
}
