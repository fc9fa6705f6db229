package entitlement_test

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"ssod/httpfront/api/entitlement"
	"ssod/httpfront/config"
	"ssod/httpfront/fronttest"
	"ssod/httpfront/mvpd"
)

// framed is a provider that is asked through a framework: a request is its nonce, and an
// answer is a request with the viewer behind it.
type framed struct{ mvpd.Connector }

func (framed) PartnerRequest(_ context.Context, l mvpd.Login) ([]byte, []string, error) {
	return []byte(l.Nonce), []string{"NameID"}, nil
}

func (framed) Receive(_ context.Context, form url.Values) (mvpd.Answer, error) {
	said, err := base64.StdEncoding.DecodeString(form.Get("SAMLResponse"))
	to, viewer, ok := strings.Cut(string(said), " ")
	if err != nil || !ok {
		return mvpd.Answer{}, &mvpd.LoginError{Code: mvpd.InvalidRequest, Cause: fmt.Errorf("no answer")}
	}
	return mvpd.Answer{State: form.Get("RelayState"), Nonce: to, Values: url.Values{"to": {to}, "viewer": {viewer}}, Once: []mvpd.Once{{ID: string(said)}}}, nil
}

func (framed) Complete(_ context.Context, l mvpd.Login, values url.Values) (mvpd.Identity, error) {
	if values.Get("to") != l.Nonce {
		return mvpd.Identity{}, &mvpd.LoginError{Code: mvpd.InvalidRequest, Cause: fmt.Errorf("another login")}
	}
	return mvpd.Identity{Subject: values.Get("viewer")}, nil
}

func (framed) Decide(_ context.Context, q mvpd.Question) ([]mvpd.Decision, error) {
	return []mvpd.Decision{{Verdict: mvpd.Permit}}, nil
}

// partnered is an app in a realm with a partner.
func partnered(t *testing.T, rule string) *app {
	t.Helper()
	t.Parallel()
	return withPartner(t, rule)
}

// withPartner starts one more node of a test.
func withPartner(t *testing.T, rule string) *app {
	t.Helper()
	dish := `      - {id: dish, kind: saml, metadataFile: idp.xml, keyFile: sp.key, certFile: sp.crt, decision: authenticated}
`
	text := strings.Replace(realms, "  - id: rival", dish+"    partners: [{name: Apple, providers: {DishOne: dish}}]\n"+rule+"  - id: rival", 1)
	providers := mvpd.NewRegistry(map[string]mvpd.Maker{
		"saml": func(*config.Config, *config.Realm, *config.MVPD) (mvpd.Connector, error) { return framed{}, nil },
	}, nil)
	return startWith(t, text, func(o *entitlement.Options) { o.Providers = providers })
}

// status is a value of AP-Partner-Framework-Status.
func status(access, id string, until time.Time) []string {
	text := fmt.Sprintf(`{"frameworkPermissionInfo":{"accessStatus":%q},"frameworkProviderInfo":{"id":%q,"expirationDate":"%d"}}`, access, id, until.UnixMilli())
	return []string{"AP-Partner-Framework-Status", base64.StdEncoding.EncodeToString([]byte(text))}
}

var nextYear = time.Now().AddDate(1, 0, 0)

func good() []string { return status("granted", "DishOne", nextYear) }

func (a *app) post(device, path string, form url.Values, header ...string) fronttest.Answer {
	a.Helper()
	c := a.call("POST", path, device, header...).With("Content-Type", "application/x-www-form-urlencoded")
	c.Body = form.Encode()
	return a.do(c)
}

// ask asks through the partner and returns the request for its framework.
func (a *app) ask(device string) string {
	a.Helper()
	r := a.post(device, "sessions/sso/Apple", url.Values{"domainName": {"stream.example"}, "redirectUrl": {home}}, good()...)
	a.same("a session", []any{r.StatusCode, r.Text("actionName"), r.Text("actionType"), r.Text("reasonType"), r.Text("url"), r.Text("mvpd"), r.JSON["code"]},
		[]any{200, "partner_profile", "direct", "none", "/api/v2/STREAM1/profiles/sso/Apple", "dish", nil})
	request := r.JSON["authenticationRequest"].(map[string]any)
	a.same("its request", []any{request["type"], request["attributesNames"]}, []any{"saml", []any{"NameID"}})
	message, err := base64.StdEncoding.DecodeString(request["request"].(string))
	if err != nil {
		a.Fatal(err)
	}
	return string(message)
}

func answerTo(request, viewer string) url.Values {
	return url.Values{"SAMLResponse": {base64.StdEncoding.EncodeToString([]byte(request + " " + viewer))}}
}

// TestALoginThroughAPartner: the framework carries request and answer, the device has a
// login while the framework vouches for it, and the logout is the framework's.
func TestALoginThroughAPartner(t *testing.T) {
	a := partnered(t, "")
	request := a.ask("phone")
	a.node.Sleep(14 * time.Minute)
	r := a.post("phone", "profiles/sso/Apple", answerTo(request, "ada"), good()...)
	profile, _ := r.JSON["profiles"].(map[string]any)["dish"].(map[string]any)
	a.same("the profile", []any{r.StatusCode, profile["type"], profile["issuer"]}, []any{http.StatusCreated, "appleSSO", "Apple"})
	a.same("its viewer", profile["attributes"].(map[string]any)["userID"], map[string]any{"value": "ada", "state": "plain"})

	a.same("found", a.found("phone", good()...), found{"dish": "appleSSO"})
	a.same("without the framework", a.found("phone"), found{})
	a.same("permission taken back", a.found("phone", status("denied", "", nextYear)...), found{})
	a.same("decided", a.authorize("phone", "dish", good()...), "permit")
	a.same("decided without", a.authorize("phone", "dish"), "authenticated_profile_missing")
	r = a.post("phone", "sessions/sso/Apple", url.Values{"domainName": {"stream.example"}, "redirectUrl": {home}}, good()...)
	a.same("once more", []any{r.Text("actionName"), r.Text("reasonType")}, []any{"authorize", "authenticatedSSO"})
	r = a.do(a.call("GET", "logout/dish", "phone"))
	out := r.JSON["logouts"].(map[string]any)["dish"].(map[string]any)
	a.same("logout", []any{out["actionName"], out["actionType"], out["url"]}, []any{"partner_logout", "partner_interactive", nil})
	a.same("afterwards", a.found("phone", good()...), found{})
}

// TestAnswersThroughAPartner that do not count.
func TestAnswersThroughAPartner(t *testing.T) {
	a := partnered(t, "")
	request := a.ask("phone")
	for name, tt := range map[string]struct {
		device string
		form   url.Values
		header []string
		code   string
	}{
		"no status":        {"phone", answerTo(request, "ada"), nil, "invalid_header_pfs_permission_access_not_present"},
		"unreadable":       {"phone", answerTo(request, "ada"), []string{"AP-Partner-Framework-Status", "e30"}, "invalid_header_pfs_permission_access_not_present"},
		"not asked":        {"phone", answerTo(request, "ada"), status("notDetermined", "DishOne", nextYear), "invalid_header_pfs_permission_access_not_determined"},
		"denied":           {"phone", answerTo(request, "ada"), status("restricted", "DishOne", nextYear), "invalid_header_pfs_permission_access_not_granted"},
		"another provider": {"phone", answerTo(request, "ada"), status("granted", "Other", nextYear), "invalid_header_pfs_provider_id_not_determined"},
		"of another MVPD":  {"phone", url.Values{"mvpd": {"cable"}, "SAMLResponse": {"YQ=="}}, good(), "invalid_header_pfs_provider_id_mismatch"},
		"old":              {"phone", answerTo(request, "ada"), status("granted", "DishOne", time.Now().Add(-time.Minute)), "invalid_header_pfs_provider_info_expired"},
		"of no request":    {"phone", answerTo("nonce", "ada"), good(), "invalid_parameter_saml_response"},
		"to a neighbour":   {"tv", answerTo(request, "ada"), good(), "invalid_parameter_saml_response"},
		"no answer":        {"phone", url.Values{"SAMLResponse": {"YQ=="}}, good(), "invalid_parameter_saml_response"},
	} {
		r := a.post(tt.device, "profiles/sso/Apple", tt.form, tt.header...)
		a.same(name, []any{r.StatusCode, r.Text("code")}, []any{400, tt.code})
	}
	a.same("once", a.post("phone", "profiles/sso/Apple", answerTo(request, "ada"), good()...).StatusCode, 201)
	r := a.post("phone", "profiles/sso/Apple", answerTo(request, "ada"), good()...)
	a.same("twice", []any{r.StatusCode, r.Text("code")}, []any{400, "invalid_parameter_saml_response"})
	late := a.ask("tv")
	a.node.Sleep(29 * time.Minute)
	a.same("in time", a.post("tv", "profiles/sso/Apple", answerTo(late, "ada"), good()...).StatusCode, 201)
	late = a.ask("tablet")
	a.node.Sleep(31 * time.Minute)
	a.same("late", a.post("tablet", "profiles/sso/Apple", answerTo(late, "ada"), good()...).StatusCode, 400)
}

// TestEachRequestThroughAPartnerHasAnIdOfItsOwn, since providers refuse one that they have seen;
// whichever of them is answered counts, once.
func TestEachRequestThroughAPartnerHasAnIdOfItsOwn(t *testing.T) {
	a := partnered(t, "")
	first, second := a.ask("phone"), a.ask("phone")
	if first == second {
		t.Fatalf("two requests have the id %s", first)
	}
	for _, request := range []string{second, first} {
		a.same("answered", a.post("phone", "profiles/sso/Apple", answerTo(request, "ada"), good()...).StatusCode, 201)
		a.same("answered again", a.post("phone", "profiles/sso/Apple", answerTo(request, "ada"), good()...).StatusCode, 400)
	}
	serial, mac, _ := strings.Cut(first, ".")
	for name, forged := range map[string]string{"another serial": "z" + serial + "." + mac, "none": "." + mac, "no mac": serial + ".", "from the future": "zzzzzzzz-" + serial + "." + mac} {
		a.same(name, a.post("phone", "profiles/sso/Apple", answerTo(forged, "ada"), good()...).StatusCode, 400)
	}
}

// TestAPartnerThatCannotHelp: the app goes on without, and is told why.
func TestAPartnerThatCannotHelp(t *testing.T) {
	a := partnered(t, "")
	whole := url.Values{"domainName": {"stream.example"}, "redirectUrl": {home}, "mvpd": {"dish"}}
	for name, tt := range map[string]struct {
		form   url.Values
		header []string
		want   []any
	}{
		"no status":  {whole, nil, []any{"authenticate", "pfs_fallback"}},
		"denied":     {whole, status("denied", "", nextYear), []any{"authenticate", "pfs_fallback"}},
		"parameters": {url.Values{"domainName": {"stream.example"}}, good(), []any{"resume", "missing_parameters_fallback"}},
	} {
		r := a.post("phone", "sessions/sso/Apple", tt.form, tt.header...)
		a.same(name, []any{r.Text("actionName"), r.Text("reasonType")}, tt.want)
	}
}

// TestADegradedPartner needs neither request nor answer.
func TestADegradedPartner(t *testing.T) {
	a := partnered(t, "    degradation: [{serviceProvider: STREAM1, mvpd: dish, rule: AuthNAll}]\n")
	r := a.post("phone", "sessions/sso/Apple", url.Values{"domainName": {"stream.example"}, "redirectUrl": {home}}, good()...)
	a.same("a session", []any{r.Text("actionName"), r.Text("reasonType")}, []any{"authorize", "degraded"})
	r = a.post("phone", "profiles/sso/Apple", url.Values{"SAMLResponse": {"YQ=="}}, good()...)
	profile, _ := r.JSON["profiles"].(map[string]any)["dish"].(map[string]any)
	a.same("a profile", []any{r.StatusCode, profile["type"]}, []any{200, "degraded"})
}
