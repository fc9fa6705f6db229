package entitlement_test

import (
	"net/http"
	"net/url"
	"sync/atomic"
	"testing"
	"time"

	"ssod/cluster/faulty"
	"ssod/httpfront/fronttest"
)

// TestWhoOpensALoginStoresNothing: anybody can open a link who has its code, as
// often as he likes, with cookies and without. What is stored is the login, when it
// is made: once for a session, whoever comes to finish it.
func TestWhoOpensALoginStoresNothing(t *testing.T) {
	t.Parallel()
	var commits atomic.Int64
	n := fronttest.Start(t, fronttest.Options{Config: realms, Cluster: faulty.Options{Commits: func(op faulty.Op) faulty.Fault {
		if op.Commit.Entity.Kind == "session" {
			commits.Add(1)
		}
		return faulty.None
	}}})
	a := &app{t, n, n.AccessToken(t, "STREAM1"), "STREAM1"}
	code := a.code("phone", "cable")
	stored := func(what string, want int64) {
		t.Helper()
		if got := commits.Swap(0); got != want {
			t.Errorf("%s: %d changes were stored, want %d", what, got, want)
		}
	}
	stored("a session begins", 1)
	viewer := a.browser()
	for range 50 {
		viewer.open("STREAM1", code) // again and again
		a.browser().open("STREAM1", code)
	}
	callback := viewer.callback(viewer.open("STREAM1", code), "ada")
	for _, of := range []string{callback, withState(callback, 3, "x"), "/api/v2/authenticate/callback?state=" + url.QueryEscape("STREAM1."+code+".cable.x.y")} {
		for range 50 {
			if r := a.browser().visit(of, nil); r.StatusCode != http.StatusBadRequest {
				t.Fatalf("a stranger comes back: %d", r.StatusCode)
			}
		}
	}
	stored("102 times opened by 51 browsers, 150 times back without a cookie", 0)
	a.same("the login", func() string { end, _ := viewer.follow(callback, nil); return end }(), home)
	for deadline := time.Now().Add(2 * time.Minute); commits.Load() < 2 && time.Now().Before(deadline); {
		viewer.follow(callback, nil) // until the promise to the device is settled
	}
	stored("the session is finished, and its promise to the device kept", 2)
	for range 50 {
		viewer.follow(callback, nil)
		viewer.follow("/api/v2/authenticate/STREAM1/"+code, nil)
		a.browser().visit("/api/v2/authenticate/STREAM1/"+code, nil)
	}
	stored("all of it again after the login", 0)
}
