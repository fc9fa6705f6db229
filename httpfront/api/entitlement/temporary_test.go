package entitlement_test

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
	"time"
)

// decision is the first decision of a call.
func (a *app) decision(kind, device, mvpd, resource string, header ...string) map[string]any {
	a.Helper()
	c := a.call("POST", "decisions/"+kind+"/"+mvpd, device, header...).With("Content-Type", "application/json")
	c.Body = `{"resources":["` + resource + `"]}`
	return a.do(c).JSON["decisions"].([]any)[0].(map[string]any)
}

// temporaryProfile is the profile of a device at an MVPD, and its attributes.
func (a *app) temporaryProfile(device, mvpd string, header ...string) (profile map[string]any, attribute func(string) any) {
	a.Helper()
	r := a.do(a.call("GET", "profiles/"+mvpd, device, header...))
	profile, ok := r.JSON["profiles"].(map[string]any)[mvpd].(map[string]any)
	if !ok {
		a.Fatalf("no profile: %d %s", r.StatusCode, r.Raw)
	}
	return profile, func(name string) any {
		value, _ := profile["attributes"].(map[string]any)[name].(map[string]any)
		return value["value"]
	}
}

func identity(object string) []string {
	return []string{"AP-TempPass-Identity", base64.StdEncoding.EncodeToString([]byte(object))}
}

// TestATrialFromStartToEnd: nobody logs in, the clock starts with the first permit to
// play, and afterwards every call says that it is over.
func TestATrialFromStartToEnd(t *testing.T) {
	a := start(t, realms)
	r := a.begin("tv", whole("trial"))
	a.same("a session", []any{r.Text("actionName"), r.Text("actionType"), r.Text("reasonType"), r.JSON["code"]}, []any{"authorize", "direct", "temporary", nil})
	a.same("where to go on", r.Text("url"), "/api/v2/STREAM1/decisions/authorize/trial")
	a.same("in advance", a.decisions("preauthorize", "tv", "trial", []string{"a", "b"}), []string{"permit", "permit"})
	profile, attribute := a.temporaryProfile("tv", "trial")
	a.same("the profile", []any{profile["type"], profile["issuer"], attribute("used_assets"), attribute("remaining_resources")}, []any{"temporary", "Adobe", nil, nil})
	user := attribute("userID")

	a.node.Sleep(time.Minute)
	d := a.decision("authorize", "tv", "trial", "news")
	a.same("a permit", []any{d["authorized"], d["source"], d["token"] != nil}, []any{true, "temppass", true})
	profile, attribute = a.temporaryProfile("tv", "trial")
	a.same("its end", []any{attribute("expiration_date"), d["notAfter"]}, []any{profile["notAfter"], profile["notAfter"]})
	a.same("the viewer's id", attribute("userID"), user)
	a.same("how long it lasts", profile["notAfter"].(float64)-profile["notBefore"].(float64), float64(time.Hour.Milliseconds()))
	a.same("all profiles", a.found("tv"), found{})
	r = a.do(a.call("GET", "logout/trial", "tv"))
	a.same("logout", r.JSON["logouts"].(map[string]any)["trial"].(map[string]any)["actionName"], "complete")

	a.node.Sleep(time.Hour)
	for _, kind := range []string{"authorize", "preauthorize"} {
		d := a.decision(kind, "tv", "trial", "news")
		a.same(kind, []any{d["authorized"], d["source"], d["error"].(map[string]any)["code"], d["notAfter"]}, []any{false, "temppass", "temporary_access_duration_limit_exceeded", nil})
	}
	r = a.do(a.call("GET", "profiles/trial", "tv"))
	a.same("the profile", []any{r.StatusCode, r.Text("code"), r.Text("action")}, []any{403, "temporary_access_duration_limit_exceeded", "authentication"})
	a.same("a session", a.begin("tv", whole("trial")).Text("reasonType"), "temporary")
	a.same("another device", a.authorize("phone", "trial"), "permit")
}

// TestAPromotion: the viewer must be named, and has so many resources on all devices.
func TestAPromotion(t *testing.T) {
	a := start(t, realms)
	ada, nobody := identity(`{"email":"ada"}`), identity(`{"name":"ada"}`)
	for name, header := range map[string][]string{"no identity": nil, "another member": nobody} {
		a.same(name, a.authorize("tv", "promo", header...), "invalid_header_identity_for_temporary_access")
		r := a.do(a.call("GET", "profiles/promo", "tv", header...))
		a.same(name, []any{r.StatusCode, r.Text("code")}, []any{400, "invalid_header_identity_for_temporary_access"})
	}
	_, attribute := a.temporaryProfile("tv", "promo", ada...)
	a.same("at first", []any{attribute("remaining_resources"), attribute("used_assets")}, []any{2.0, []any{}})
	long := strings.Repeat("x", 1000)
	a.same("one", a.decision("authorize", "tv", "promo", "film", ada...)["authorized"], true)
	a.same("the other", a.decision("authorize", "phone", "promo", long, ada...)["authorized"], true)
	a.same("one again", a.decision("authorize", "phone", "promo", "film", ada...)["authorized"], true)
	d := a.decision("authorize", "tv", "promo", "more", ada...)
	a.same("one more", []any{d["authorized"], d["error"].(map[string]any)["code"]}, []any{false, "temporary_access_resources_limit_exceeded"})
	a.same("by the device", a.authorize("tv", "promo", identity(`{"email":"ben"}`)...), "temporary_access_resources_limit_exceeded")
	r := a.do(a.call("GET", "profiles/promo", "phone", ada...))
	a.same("the profile", []any{r.StatusCode, r.Text("code")}, []any{403, "temporary_access_resources_limit_exceeded"})
	a.same("in advance", a.decisions("preauthorize", "phone", "promo", []string{"x"}, ada...), []string{"temporary_access_resources_limit_exceeded"})
	a.same("somebody else", a.authorize("box", "promo", identity(`{"email":"cleo"}`)...), "permit")
	_, attribute = a.temporaryProfile("box", "promo", identity(`{"email":"cleo"}`)...)
	a.same("what is left", []any{attribute("remaining_resources"), attribute("used_assets")}, []any{1.0, []any{"channel-1"}})
}

// TestTrialsOfOneAddress: an address that makes devices up gets no more than so many
// trials, and devices that have begun theirs go on.
func TestTrialsOfOneAddress(t *testing.T) {
	a := start(t, strings.Replace(realms, "trialsPerAddress: 0", "trialsPerAddress: 2", 1))
	from := func(address string) []string { return []string{"X-Forwarded-For", address} }
	for i, want := range []string{"permit", "permit", "temporary_access_duration_limit_exceeded"} {
		a.same(fmt.Sprint("device ", i), a.authorize(fmt.Sprint("made up ", i), "trial", from("2001:db8::1")...), want)
	}
	a.same("the first one again", a.authorize("made up 0", "trial", from("2001:db8::2")...), "permit")
	a.same("an address of the same /64", a.authorize("made up 3", "trial", from("2001:db8::3")...), "temporary_access_duration_limit_exceeded")
	a.same("another network", a.authorize("made up 3", "trial", from("2001:db8:0:1::1")...), "permit")
}

// TestASecondScreenChoosesTheTrial: a code that is resumed with it leads to decisions.
func TestASecondScreenChoosesTheTrial(t *testing.T) {
	a := start(t, realms)
	code := a.begin("tv", "").Text("code")
	c := a.call("POST", "sessions/"+code, "").With("Content-Type", "application/x-www-form-urlencoded")
	c.Body = whole("trial")
	r := a.do(c)
	a.same("the second screen", []any{r.Text("actionName"), r.Text("reasonType")}, []any{"authorize", "temporary"})
	r = a.do(a.call("GET", "profiles/code/"+code, ""))
	profile, _ := r.JSON["profiles"].(map[string]any)["trial"].(map[string]any)
	a.same("the profile", profile["type"], "temporary")
}
