package entitlement_test

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"sync/atomic"
	"testing"
	"time"

	"ssod/cluster/faulty"
	"ssod/httpfront/api/entitlement"
	"ssod/httpfront/config"
	"ssod/httpfront/fronttest"
	"ssod/httpfront/slots"
	"ssod/httpfront/token/platform"
)

// patient repeats a call as clients do that are told to retry.
func (a *app) patient(what string, call func() fronttest.Answer) fronttest.Answer {
	a.Helper()
	for range 200 {
		if r := call(); r.StatusCode != http.StatusServiceUnavailable {
			return r
		}
	}
	a.Fatalf("%s: 200 times 503", what)
	return fronttest.Answer{}
}

// Every commit may fail in every way. Whoever repeats what was answered 503
// gets through a login and a logout, and afterwards the login is everywhere or
// nowhere.
func TestLoginAndLogoutUnderFaults(t *testing.T) {
	for seed := range uint64(6) {
		t.Run("", func(t *testing.T) {
			t.Parallel()
			var on atomic.Bool
			plan := faulty.Seeded(seed, 30)
			n := fronttest.Start(t, fronttest.Options{Config: realms, Cluster: faulty.Options{
				Delay: time.Microsecond,
				Commits: func(op faulty.Op) faulty.Fault {
					if !on.Load() {
						return faulty.None
					}
					return plan(op)
				},
			}})
			a := &app{t, n, n.AccessToken(t, "STREAM1"), "STREAM1"}
			phone, tv := a.mint("phone", "viewer"), a.mint("tv", "viewer")
			on.Store(true)
			for range 3 {
				loginUnderFaults(a, phone)
				a.soon("after the login", found{"cable": "serviceTokenSSO"}, "tv", tv)
				a.soon("after the login", found{"cable": "regular"}, "phone", phone)
				a.patient("logout", func() fronttest.Answer {
					return a.do(a.call("GET", "logout/cable?redirectUrl="+url.QueryEscape(home), "tv", "AD-Service-Token", tv))
				})
				a.soon("after the logout", found{}, "tv", tv)
				a.soon("after the logout", found{}, "phone", phone)
			}
		})
	}
}

func loginUnderFaults(a *app, token string) {
	a.Helper()
	session := a.patient("begin", func() fronttest.Answer { return a.begin("phone", whole("cable"), "AD-Service-Token", token) })
	b := a.browser()
	opened := a.patient("open", func() fronttest.Answer { return b.visit("/api/v2/authenticate/STREAM1/"+session.Text("code"), nil) })
	callback := b.callback(opened.Header.Get("Location"), "ada")
	back := a.patient("come back", func() fronttest.Answer { return b.visit(callback, nil) })
	if end := back.Header.Get("Location"); end != home {
		a.Fatalf("the browser ended at %q: %d %s", end, back.StatusCode, back.Raw)
	}
}

// soon waits until a device finds exactly this.
func (a *app) soon(what string, want found, device, token string) {
	a.Helper()
	var r fronttest.Answer
	for deadline := time.Now().Add(2 * time.Minute); time.Now().Before(deadline); {
		r = a.patient(what, func() fronttest.Answer { return a.do(a.call("GET", "profiles", device, "AD-Service-Token", token)) })
		profiles, _ := r.JSON["profiles"].(map[string]any)
		good := len(profiles) == len(want)
		for mvpd, kind := range want {
			p, _ := profiles[mvpd].(map[string]any)
			good = good && p["type"] == kind
		}
		if good {
			return
		}
	}
	a.Fatalf("%s: in the end %s finds %s, want %v", what, device, r.Raw, want)
}

// busy is a verifier whose slots are all taken.
type busy struct{ entitlement.Platforms }

func (busy) Identify(context.Context, *config.Config, *config.Realm, []byte, time.Time) (platform.Identity, bool, error) {
	return platform.Identity{}, false, fmt.Errorf("subject token: %w", slots.ErrBusy)
}

// TestABusyVerifierIsNoAnswer: whoever cannot be told apart now is asked to come
// again, and nothing is done for him as if he were nobody.
func TestABusyVerifierIsNoAnswer(t *testing.T) {
	t.Parallel()
	n := fronttest.Start(t, fronttest.Options{Config: realms, Entitlement: func(o *entitlement.Options) { o.Platforms = busy{o.Platforms} }})
	a := &app{t, n, n.AccessToken(t, "STREAM1"), "STREAM1"}
	a.logIn("phone", "cable", "ada")
	session := a.call("POST", "sessions", "phone").With("Content-Type", "application/x-www-form-urlencoded")
	session.Body = whole("plain")
	decision := a.call("POST", "decisions/authorize/cable", "phone").With("Content-Type", "application/json")
	decision.Body = `{"resources":["channel-1"]}`
	for name, c := range map[string]fronttest.Call{
		"logout":             a.call("GET", "logout/cable?redirectUrl="+url.QueryEscape(home), "phone"),
		"profiles":           a.call("GET", "profiles", "phone"),
		"profile of an MVPD": a.call("GET", "profiles/cable", "phone"),
		"session":            session, "decision": decision,
	} {
		r := a.do(c.With("Adobe-Subject-Token", "x"))
		if a.fails(r, 503, "service_unavailable"); r.Header.Get("Retry-After") != "1" {
			t.Errorf("%s: Retry-After %q", name, r.Header.Get("Retry-After"))
		}
	}
	a.same("the login is still there", a.found("phone"), found{"cable": "regular"})
}
