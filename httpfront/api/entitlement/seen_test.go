package entitlement_test

import (
	"net/http"
	"testing"
	"time"

	"ssod/httpfront/fronttest"
)

// members are what a member sees in the list of devices.
func (a *app) members(device, token string) map[string]any {
	a.Helper()
	c := fronttest.Call{Method: "GET", Path: "/api/" + a.sp + "/list"}
	r := a.do(c.With("Authorization", "Bearer "+a.access, "AP-Device-Identifier", fronttest.Device(device), "AD-Service-Token", token))
	if r.StatusCode != http.StatusOK {
		a.Fatalf("list: %d %s", r.StatusCode, r.Raw)
	}
	return r.JSON["devices"].(map[string]any)
}

func (a *app) member(of map[string]any, device string) map[string]any {
	a.Helper()
	m, ok := of[fronttest.Device(device)[len("fingerprint "):]].(map[string]any)
	if !ok {
		a.Fatalf("%s is no member: %v", device, of)
	}
	return m
}

// TestEveryCallMovesLastSeen: also one that needs nothing of the profile, because
// the device has a login of its own. A busy node need not tell it each time.
func TestEveryCallMovesLastSeen(t *testing.T) {
	a := start(t, realms)
	phone, tv := a.mint("phone", "viewer"), a.mint("tv", "viewer")
	token := []string{"AD-Service-Token", phone}
	a.logIn("phone", "cable", "ada", token...)
	calls := map[string]func(){
		"authorize": func() { a.same("authorize", a.authorize("phone", "cable", token...), "permit") },
		"authorize, other resource": func() {
			a.same("authorize", a.decisions("authorize", "phone", "cable", []string{"channel-2"}, token...), []string{"permit"})
		},
		"preauthorize":              func() { a.decisions("preauthorize", "phone", "cable", []string{"channel-1"}, token...) },
		"sessions":                  func() { a.same("sessions", a.begin("phone", whole("cable"), token...).Text("actionName"), "authorize") },
		"profiles":                  func() { a.found("phone", token...) },
		"profiles/mvpd":             func() { a.do(a.call("GET", "profiles/cable", "phone", token...)) },
		"sessions, without a login": func() { a.begin("phone", "", token...) },
	}
	moves := func(name string, call func()) {
		t.Helper()
		a.node.Sleep(5 * time.Minute)
		from := a.node.Now().UnixMilli()
		for range 50 {
			call()
			if a.member(a.members("tv", tv), "phone")["lastSeen"].(float64) >= float64(from) {
				return
			}
		}
		t.Errorf("%s does not move lastSeen", name)
	}
	for name, call := range calls {
		moves(name, call)
	}
	moves("logout", func() { a.do(a.call("GET", "logout/cable", "phone", token...)) })
}

// TestACallWithoutTheIdentityMovesNothing: nor does one of a device that was
// unlinked.
func TestACallWithoutTheIdentityMovesNothing(t *testing.T) {
	a := start(t, realms)
	phone, tv := a.mint("phone", "viewer"), a.mint("tv", "viewer")
	a.logIn("phone", "cable", "ada", "AD-Service-Token", phone)
	before := a.member(a.members("tv", tv), "phone")["lastSeen"]
	a.node.Sleep(10 * time.Minute)
	a.authorize("phone", "cable")
	a.authorize("phone", "cable", "AD-Service-Token", tv) // of another device
	a.same("lastSeen", a.member(a.members("tv", tv), "phone")["lastSeen"], before)
}

// TestWhoLogsInIsListedAsRegular: wherever the browser was in which it happened.
func TestWhoLogsInIsListedAsRegular(t *testing.T) {
	a := start(t, realms)
	phone, tv, tablet := a.mint("phone", "viewer"), a.mint("tv", "viewer"), a.mint("tablet", "viewer")
	types := func() map[string]any {
		all := a.members("phone", phone)
		of := map[string]any{}
		for _, device := range []string{"phone", "tv", "tablet"} {
			of[device] = a.member(all, device)["type"]
		}
		return of
	}
	a.same("at first", types(), map[string]any{"phone": "regular", "tv": "sso", "tablet": "sso"})
	a.logIn("tv", "cable", "ada", "AD-Service-Token", tv)
	a.same("after a login", types(), map[string]any{"phone": "regular", "tv": "regular", "tablet": "sso"})
	code := a.begin("tablet", "", "AD-Service-Token", tablet).Text("code")
	c := a.call("POST", "sessions/"+code, "").With("Content-Type", "application/x-www-form-urlencoded")
	a.do(withBody(c, whole("plain")))
	a.same("the second screen ends", a.browser().logIn(a.sp, code, "ben"), home)
	a.same("after a second screen", types(), map[string]any{"phone": "regular", "tv": "regular", "tablet": "regular"})
}
