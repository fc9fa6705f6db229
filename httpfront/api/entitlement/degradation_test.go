package entitlement_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"ssod/httpfront/api/entitlement"
	"ssod/httpfront/config"
	"ssod/httpfront/degradation"
	"ssod/httpfront/token/keys/keystest"
)

// under is a configuration with a rule between STREAM1 and the provider cable.
func under(rule string) string {
	return strings.Replace(realms, "    mvpds:\n", fmt.Sprintf("    degradation: [{serviceProvider: STREAM1, mvpd: cable, rule: %s}]\n    mvpds:\n", rule), 1)
}

// TestNobodyHasToLogIn: with AuthNAll each device has a profile of its own that is
// nowhere kept, and watches.
func TestNobodyHasToLogIn(t *testing.T) {
	a := start(t, under("AuthNAll"))
	r := a.begin("phone", whole("cable"))
	a.same("a session", []any{r.Text("actionName"), r.Text("reasonType"), r.JSON["code"]}, []any{"authorize", "degraded", nil})
	r = a.do(a.call("GET", "profiles/cable", "phone"))
	profile, _ := r.JSON["profiles"].(map[string]any)["cable"].(map[string]any)
	a.same("the profile", []any{profile["type"], profile["issuer"]}, []any{"degraded", "Adobe"})
	again := a.do(a.call("GET", "profiles/cable", "phone")).JSON["profiles"].(map[string]any)["cable"].(map[string]any)
	other := a.do(a.call("GET", "profiles/cable", "tv")).JSON["profiles"].(map[string]any)["cable"].(map[string]any)
	a.same("the viewer's id", again["attributes"], profile["attributes"])
	if fmt.Sprint(other["attributes"]) == fmt.Sprint(profile["attributes"]) {
		t.Errorf("two devices have the same viewer: %v", other["attributes"])
	}
	a.same("all profiles", a.found("phone"), found{})
	for _, kind := range []string{"authorize", "preauthorize"} {
		a.same(kind, a.decisions(kind, "phone", "cable", []string{"unsubscribed-1"}), []string{"permit"})
	}
	r = a.do(a.call("GET", "logout/cable", "phone"))
	a.same("logout", r.JSON["logouts"].(map[string]any)["cable"].(map[string]any)["actionName"], "complete")

	a.same("another provider", a.begin("phone", whole("plain")).Text("actionName"), "authenticate")
	a.same("another channel", a.at("STREAM2").begin("phone", whole("cable")).Text("actionName"), "authenticate")
	a.same("decisions of another channel", a.at("STREAM2").authorize("phone", "cable"), "authenticated_profile_missing")
}

// TestADegradedSession: a code that was shown before the app knew the provider leads
// to decisions, too, when the provider is named.
func TestADegradedSession(t *testing.T) {
	a := start(t, under("AuthNAll"))
	code := a.begin("tv", "").Text("code")
	c := a.call("POST", "sessions/"+code, "").With("Content-Type", "application/x-www-form-urlencoded")
	c.Body = whole("cable")
	r := a.do(c)
	a.same("the second screen", []any{r.Text("actionName"), r.Text("reasonType")}, []any{"authorize", "degraded"})
	r = a.do(a.call("GET", "profiles/code/"+code, ""))
	profile, _ := r.JSON["profiles"].(map[string]any)["cable"].(map[string]any)
	a.same("the profile", profile["type"], "degraded")
}

// TestWhoIsLoggedInIsPermitted: with AuthZAll the provider is not asked, and nothing
// of it is remembered for when it is.
func TestWhoIsLoggedInIsPermitted(t *testing.T) {
	a := start(t, under("AuthZAll"))
	a.same("without a login", a.authorize("phone", "cable"), "authenticated_profile_missing")
	a.logIn("phone", "cable", "ben")
	c := a.call("POST", "decisions/authorize/cable", "phone").With("Content-Type", "application/json")
	c.Body = `{"resources":["channel-3"]}`
	decision := a.do(c).JSON["decisions"].([]any)[0].(map[string]any)
	a.same("a permit", []any{decision["authorized"], decision["source"], decision["notAfter"], decision["token"] != nil}, []any{true, "degradation", nil, true})
	a.same("another channel asks", a.at("STREAM2").authorize("phone", "cable"), "authenticated_profile_missing")
}

// TestNobodyIsPermitted: with AuthZNone everything is denied, and logins stay.
func TestNobodyIsPermitted(t *testing.T) {
	a := start(t, under("AuthZNone"))
	a.logIn("phone", "cable", "ada")
	for _, kind := range []string{"authorize", "preauthorize"} {
		a.same(kind, a.decisions(kind, "phone", "cable", []string{"channel-1"}), []string{"authorization_denied_by_degradation_rule"})
	}
	a.same("the login", a.found("phone"), found{"cable": "regular"})
}

// TestARuleAtRunTime: it answers as one of the file, and when it has ended nothing of it
// is left: no profile, no permit, no shared login.
func TestARuleAtRunTime(t *testing.T) {
	cfg, err := config.Parse([]byte(realms), config.Options{})
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now
	rules, err := degradation.Open(degradation.Options{
		Tables: &keystest.Store{}, Settings: func() *config.Config { return cfg }, Leads: func() bool { return true },
		Ready: func() error { return nil }, Time: func(at time.Time) time.Time { return at },
		Now: func() time.Time { return now() },
	})
	if err != nil {
		t.Fatal(err)
	}
	a := startWith(t, realms, func(o *entitlement.Options) { o.Rules = rules })
	now = a.node.Now
	token := []string{"AD-Service-Token", a.mint("phone", "viewer-1")}
	set := func(rule string) {
		t.Helper()
		_, err := rules.Set(t.Context(), degradation.Order{Pair: degradation.Pair{ServiceProvider: "STREAM1", MVPD: "cable"}, Rule: rule, For: time.Minute, By: "local"})
		if err != nil {
			t.Fatal(err)
		}
	}
	set("AuthNAll")
	a.same("a session", a.begin("phone", whole("cable"), token...).Text("reasonType"), "degraded")
	a.same("a decision", a.decisions("authorize", "phone", "cable", []string{"channel-1"}, token...), []string{"permit"})
	a.same("all profiles", a.found("phone", token...), found{})
	a.node.Sleep(time.Minute)
	a.same("afterwards", a.decisions("authorize", "phone", "cable", []string{"channel-1"}, token...), []string{"authenticated_profile_missing"})
	a.same("then", []any{a.begin("phone", whole("cable"), token...).Text("actionName"), a.found("phone", token...)}, []any{"authenticate", found{}})

	a.logIn("phone", "cable", "cleo")
	set("AuthZAll")
	a.same("whoever is logged in", a.authorize("phone", "cable"), "permit")
	set("AuthZNone")
	a.same("nobody", a.authorize("phone", "cable"), "authorization_denied_by_degradation_rule")
	if _, err := rules.Off(t.Context(), degradation.Pair{ServiceProvider: "STREAM1", MVPD: "cable"}, "local"); err != nil {
		t.Fatal(err)
	}
	a.same("the provider again", a.authorize("phone", "cable"), "authorization_denied_by_mvpd")
}
