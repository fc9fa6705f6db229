package entitlement_test

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ssod/httpfront/fronttest"
	"ssod/httpfront/page"
)

func (a *app) same(what string, got, want any) {
	a.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		a.Errorf("%s: -want +got\n%s", what, diff)
	}
}

type found = map[string]string

// F1, F2, F4 and F7: a phone logs in under an identity, a TV finds that login
// and watches, and one of them logs both out.
func TestOneLoginForAllDevices(t *testing.T) {
	a := start(t, realms)
	phone, tv := a.mint("phone", "viewer"), a.mint("tv", "viewer")
	a.logIn("phone", "cable", "ada", "AD-Service-Token", phone)
	a.same("phone", a.found("phone"), found{"cable": "regular"})
	a.same("tv with its token", a.found("tv", "AD-Service-Token", tv), found{"cable": "serviceTokenSSO"})
	a.same("tv without", a.found("tv"), found{})
	a.same("tv at another channel of the realm", a.at("STREAM2").found("tv", "AD-Service-Token", tv), found{"cable": "serviceTokenSSO"})
	a.same("phone at another channel without its token", a.at("STREAM2").found("phone"), found{})
	a.same("tv watches", a.authorize("tv", "cable", "AD-Service-Token", tv), "permit")
	a.same("tv without its token", a.authorize("tv", "cable"), "authenticated_profile_missing")

	r := a.begin("tv", whole("cable"), "AD-Service-Token", tv)
	a.same("a session of the tv", []string{r.Text("actionName"), r.Text("reasonType")}, []string{"authorize", "authenticatedSSO"})

	r = a.do(a.call("GET", "logout/cable?redirectUrl="+url.QueryEscape(home), "tv", "AD-Service-Token", tv))
	logout, _ := r.JSON["logouts"].(map[string]any)["cable"].(map[string]any)
	a.same("logout", logout["actionName"], "logout")
	a.same("phone afterwards", a.found("phone", "AD-Service-Token", phone), found{})
	a.same("tv afterwards", a.found("tv", "AD-Service-Token", tv), found{})
	a.same("phone watches no more", a.authorize("phone", "cable", "AD-Service-Token", phone), "authenticated_profile_missing")

	b := a.browser()
	end, _ := b.follow(logout["url"].(string), nil)
	a.same("the browser ends", end, home)
	if _, again := b.follow(logout["url"].(string), nil); again.StatusCode != 400 {
		t.Errorf("the logout URL a second time: %d", again.StatusCode)
	}
}

// An app need not say where the browser belongs after a logout.
func TestLogoutWithoutAWayBack(t *testing.T) {
	a := start(t, realms)
	a.logIn("phone", "cable", "ada")
	r := a.do(a.call("GET", "logout/cable", "phone"))
	logout, _ := r.JSON["logouts"].(map[string]any)["cable"].(map[string]any)
	a.same("logout", []any{r.StatusCode, logout["actionName"]}, []any{200, "logout"})
	b := a.browser()
	at, end := b.follow(logout["url"].(string), nil)
	if end.StatusCode != 200 || !strings.Contains(string(end.Raw), "You are signed out") {
		t.Errorf("the browser ends at %s with %d %s", at, end.StatusCode, end.Raw)
	}
	if got := end.Header.Get("Content-Security-Policy"); got != page.Policy {
		t.Errorf("policy %q", got)
	}
	a.same("the phone", a.found("phone"), found{})
}

// A session says from which of the service provider's domains it was begun.
func TestDomainsOfASession(t *testing.T) {
	a := start(t, realms)
	for _, domain := range []string{"stream.example", "STREAM.example", "tv.apps.stream.example", "*.apps.stream.example", "streamapp://"} {
		r := a.begin("phone", url.Values{"domainName": {domain}}.Encode())
		a.same(domain, []any{r.StatusCode, r.JSON["missingParameters"]}, []any{200, []any{"mvpd", "redirectUrl"}})
	}
	for _, domain := range []string{"apps.stream.example", "tv.stream.example", "stream.example.", "stream.example:443", "streamapp", "stream.example,evil.example"} {
		a.fails(a.begin("phone", url.Values{"domainName": {domain}}.Encode()), 400, "invalid_parameter_domain_name")
	}
}

// Without an identity a logout ends the device's own login and its copies.
func TestLogoutOfOneDevice(t *testing.T) {
	a := start(t, realms)
	phone, tv := a.mint("phone", "viewer"), a.mint("tv", "viewer")
	a.logIn("phone", "plain", "ada", "AD-Service-Token", phone)
	logout := func(device string) any {
		r := a.do(a.call("GET", "logout/plain?redirectUrl="+url.QueryEscape(home), device))
		return r.JSON["logouts"].(map[string]any)["plain"].(map[string]any)["actionName"]
	}
	a.same("logout of a device that has no login", logout("tv"), "invalid")
	a.same("tv", a.found("tv", "AD-Service-Token", tv), found{"plain": "serviceTokenSSO"})
	a.same("logout", logout("phone"), "complete")
	a.same("tv afterwards", a.found("tv", "AD-Service-Token", tv), found{})
}

// F8: the MVPD voids a login when it is asked through the copy of another
// device; from then on it is void everywhere, until it is made anew.
func TestInvalidation(t *testing.T) {
	a := start(t, realms)
	phone, tv := a.mint("phone", "viewer"), a.mint("tv", "viewer")
	a.logIn("phone", "cable", "finn", "AD-Service-Token", phone)
	a.same("the decision that voids it", a.authorize("tv", "cable", "AD-Service-Token", tv), "authorization_denied_by_session_invalidated")
	for device, token := range map[string]string{"phone": phone, "tv": tv} {
		a.same(device+" asks again", a.authorize(device, "cable", "AD-Service-Token", token), "authenticated_profile_invalidated")
		a.same(device+" finds", a.found(device, "AD-Service-Token", token), found{})
	}
	a.logIn("phone", "cable", "ada", "AD-Service-Token", phone)
	a.same("tv after a new login", a.authorize("tv", "cable", "AD-Service-Token", tv), "permit")
}

// A login that expired tells so, and hides no shared one that is good. A shared
// login keeps the end of the original.
func TestAnExpiredLoginHidesNothing(t *testing.T) {
	a := start(t, realms)
	phone, tv := a.mint("phone", "viewer"), a.mint("tv", "viewer")
	a.logIn("phone", "short", "ada", "AD-Service-Token", phone)
	a.node.Sleep(20 * time.Minute)
	a.logIn("tv", "short", "ada") // on its own
	a.node.Sleep(21 * time.Minute)
	a.same("phone finds", a.found("phone", "AD-Service-Token", phone), found{})
	a.same("phone asks", a.authorize("phone", "short", "AD-Service-Token", phone), "authenticated_profile_expired")
	a.same("tv asks", a.authorize("tv", "short", "AD-Service-Token", tv), "permit")
	a.logIn("tablet", "short", "ada", "AD-Service-Token", a.mint("tablet", "viewer"))
	a.same("phone finds the tablet's", a.found("phone", "AD-Service-Token", phone), found{"short": "serviceTokenSSO"})
	a.same("phone asks with it", a.authorize("phone", "short", "AD-Service-Token", phone), "permit")
}

// Permits are remembered for authzTTL, but no longer than the login counts.
func TestPermitsAreRemembered(t *testing.T) {
	a := start(t, realms)
	a.logIn("phone", "cable", "ada")
	permitted := func() float64 {
		c := a.call("POST", "decisions/authorize/cable", "phone").With("Content-Type", "application/json")
		c.Body = `{"resources":["channel-1"]}`
		return a.do(c).JSON["decisions"].([]any)[0].(map[string]any)["notBefore"].(float64)
	}
	first := permitted()
	a.node.Sleep(59 * time.Minute)
	a.same("within the hour", permitted(), first)
	a.node.Sleep(time.Minute)
	if second := permitted(); second <= first {
		t.Errorf("after the hour: permitted at %v, first at %v", second, first)
	}
	a.do(a.call("GET", "logout/cable?redirectUrl="+url.QueryEscape(home), "phone"))
	a.same("after the logout", a.authorize("phone", "cable"), "authenticated_profile_missing")
}

func TestPreauthorizeInforms(t *testing.T) {
	a := start(t, realms)
	a.logIn("phone", "cable", "ben")
	got := a.decisions("preauthorize", "phone", "cable", []string{"r1", "r2", "r1"})
	a.same("decisions", got, []string{"permit", "preauthorization_denied_by_mvpd", "permit"})
	six := []string{"1", "2", "3", "4", "5", "6"}
	a.same("too many", a.decisions("preauthorize", "phone", "cable", six)[5], "too_many_resources")
}

// A device that was unlinked keeps its own login and finds no shared one.
func TestUnlinkEndsSharing(t *testing.T) {
	a := start(t, realms)
	phone, tv := a.mint("phone", "viewer"), a.mint("tv", "viewer")
	a.logIn("phone", "cable", "ada", "AD-Service-Token", phone)
	c := fronttest.Call{Method: "POST", Path: "/api/STREAM1/unlink"}.With("Authorization", "Bearer "+a.access,
		"AP-Device-Identifier", fronttest.Device("phone"), "AD-Service-Token", phone, "Content-Type", "application/json")
	c.Body = `{"devices":["tv"]}`
	if r := a.do(c); r.StatusCode != 200 {
		t.Fatalf("unlink: %s", r.Raw)
	}
	a.same("tv", a.found("tv", "AD-Service-Token", tv), found{})
	a.same("tv watches", a.authorize("tv", "cable", "AD-Service-Token", tv), "authenticated_profile_missing")
	a.same("phone", a.found("phone", "AD-Service-Token", phone), found{"cable": "regular"})
}

// A channel with authPerAggregator has no part in single sign-on, neither as
// the one that finds nor as the one that shares.
func TestAuthPerAggregator(t *testing.T) {
	a := start(t, realms)
	alone := a.at("ALONE")
	phone, tv := a.mint("phone", "viewer"), a.mint("tv", "viewer")
	alone.logIn("phone", "cable", "ada", "AD-Service-Token", phone)
	a.same("its own login", alone.found("phone", "AD-Service-Token", phone), found{"cable": "regular"})
	a.same("not shared", a.found("tv", "AD-Service-Token", tv), found{})
	a.logIn("phone", "cable", "ada", "AD-Service-Token", phone)
	a.same("shared by another channel", a.found("tv", "AD-Service-Token", tv), found{"cable": "serviceTokenSSO"})
	a.same("and not found here", alone.found("tv", "AD-Service-Token", tv), found{})
}

// A login at an MVPD that a channel has no integration with is not told there.
func TestOnlyActiveIntegrations(t *testing.T) {
	a := start(t, realms)
	phone := a.mint("phone", "viewer")
	a.at("STREAM2").logIn("phone", "closed", "ada", "AD-Service-Token", phone)
	a.same("where it is active", a.at("STREAM2").found("phone", "AD-Service-Token", phone), found{"closed": "regular"})
	a.same("where it is not", a.found("phone", "AD-Service-Token", phone), found{})
	r := a.do(a.call("GET", "configuration", ""))
	var ids, trials []any
	for _, m := range r.JSON["mvpds"].([]any) {
		m := m.(map[string]any)
		if ids = append(ids, m["id"]); m["isTempPass"] == true {
			trials = append(trials, m["id"])
		}
	}
	a.same("configuration", ids, []any{"cable", "plain", "short", "trial", "promo"})
	a.same("temporary access", trials, []any{"trial", "promo"})
}

func TestStrictTokens(t *testing.T) {
	a := start(t, realms+"    strictTokens: false\n") // of rival; the one below is acme's
	strict := start2(a, `strictTokens: true`)
	for name, token := range map[string]string{"garbage": "abc", "another device's": a.mint("tv", "viewer")} {
		a.same(name, a.found("phone", "AD-Service-Token", token), found{})
	}
	strict.fails(strict.do(strict.call("GET", "profiles", "phone", "AD-Service-Token", "abc")), 401, "header_invalid")
	other := strict.mint("tv", "viewer")
	strict.fails(strict.do(strict.call("GET", "profiles", "phone", "AD-Service-Token", other)), 401, "header_invalid")
	strict.same("its own", strict.found("tv", "AD-Service-Token", other), found{})
}

// start2 starts a second node with one more setting of the first realm.
func start2(a *app, setting string) *app {
	config := "\nthrottle: {enabled: false}\nrealms:\n  - id: acme\n    serviceProviders: [STREAM1]\n    " + setting + "\n"
	n := fronttest.Start(a.TB, fronttest.Options{Config: config})
	return &app{a.TB, n, n.AccessToken(a.TB, "STREAM1"), "STREAM1"}
}

// AP-TempPass-Identity that cannot be read is the answer for every resource of an
// authorization; a preauthorization does not look at it
// (httpfront/docs/headers.md#which-call-takes-which-header).
func TestTemporaryIdentityOfADecision(t *testing.T) {
	a := start(t, realms)
	a.logIn("phone", "cable", "ada")
	a.same("good", a.authorize("phone", "cable", "AP-TempPass-Identity", "eyJlbWFpbCI6ICJleGFtcGxlQGRvbWFpbi5jb20ifQ=="), "permit")
	a.same("unreadable", a.authorize("phone", "cable", "AP-TempPass-Identity", "@"), "invalid_header_identity_for_temporary_access")
	a.same("not looked at", a.decisions("preauthorize", "phone", "cable", []string{"channel-1"}, "AP-TempPass-Identity", "@"), []string{"permit"})
}
