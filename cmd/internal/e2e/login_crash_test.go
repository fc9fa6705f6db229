package e2e

import (
	"context"
	"testing"
	"time"
)

// chapters are the story of flows F1, F2, F4 and F7: a phone signs in and logs in
// at the MVPD, a TV joins it and watches, and logs both out.
var chapters = []step{
	{"phone signs in", signsIn(phone)},
	{"phone begins a session", begins(phone)},
	{"browser opens the login", (*tale).openLogin},
	{"browser comes back", (*tale).comeBack},
	{"phone finds the login by code", findsByCode(phone)},
	{"phone shows a link code", (*tale).showLink},
	{"tv redeems it", (*tale).redeemLink},
	{"tv finds the login", finds(tv, "serviceTokenSSO")},
	{"tv watches", decides(tv, "channel-1", permit)},
	{"tv logs out", logsOut(tv)},
	{"browser ends the session at the MVPD", (*tale).leaveMVPD},
	{"phone finds nothing", finds(phone, "")},
	{"phone is refused", decides(phone, "channel-1", "authenticated_profile_missing")},
}

// TestKilledBetweenAnyTwoSteps kills the node with SIGKILL before each step of
// the tale in turn, and once in the middle of each: the tale goes on where it
// was, each step repeated until it is answered. It prints a table.
func TestKilledBetweenAnyTwoSteps(t *testing.T) {
	t.Parallel()
	empty := emptyWorld(t)
	for kill := range chapters {
		t.Run(chapters[kill].name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, empty, lifetimes{public: publicURL})
			s := newTale(w.stream, w.stream, "")
			for i, chapter := range chapters {
				if i == kill {
					w.Kill()
					w.Start()
				}
				if err := eventually(t.Context(), func(ctx context.Context) error { return chapter.do(s, ctx) }); err != nil {
					t.Fatalf("killed before %q: %q: %v", chapters[kill].name, chapter.name, err)
				}
			}
			t.Logf("killed before %-38q completed", chapters[kill].name)
		})
	}
}

// TestKilledDuringAStep kills the node while each step of the tale is under way.
// Within ten seconds there is neither half a login nor half a logout, and the
// step can be repeated, or the flow begun again.
func TestKilledDuringAStep(t *testing.T) {
	t.Parallel()
	empty := emptyWorld(t)
	for kill := range chapters {
		t.Run(chapters[kill].name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, empty, lifetimes{public: publicURL})
			s := newTale(w.stream, w.stream, "")
			for i, chapter := range chapters {
				if s.interrupted = i == kill; s.interrupted {
					during := make(chan error, 1)
					go func() { during <- chapter.do(s, t.Context()) }()
					<-time.After(time.Duration(kill%4) * time.Millisecond)
					w.Kill()
					<-during
					w.Start()
				}
				err := eventually(t.Context(), func(ctx context.Context) error { return chapter.do(s, ctx) })
				if err != nil {
					t.Fatalf("killed during %q: %q: %v", chapters[kill].name, chapter.name, err)
				}
			}
			t.Logf("killed during %-38q completed", chapters[kill].name)
		})
	}
}
