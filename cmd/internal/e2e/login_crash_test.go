package e2e

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

// tale is the story of flows F1, F2, F4 and F7: a phone signs in and logs in at
// the MVPD, a TV joins it and watches, and logs both out. Each step can be
// repeated as clients do.
type tale struct {
	*app
	phone, tv *device
	browser   *browser
	code      string // authentication code
	link      string // link code
	callback  string // where the MVPD sent the browser
	farewell  string // logout agent URL

	interrupted bool // the node died during this step
}

// chapters are the steps, each with what must be true after it.
var chapters = []struct {
	name string
	do   func(*tale, context.Context) error
}{
	{"phone signs in", func(s *tale, ctx context.Context) error { return s.mint(ctx, s.phone, "viewer") }},
	{"phone begins a session", (*tale).beginSession},
	{"browser opens the login", (*tale).openLogin},
	{"browser comes back", (*tale).comeBack},
	{"phone finds the login by code", func(s *tale, ctx context.Context) error {
		return s.finds(ctx, s.phone, "profiles/code/"+s.code, "regular")
	}},
	{"phone shows a link code", (*tale).showLink},
	{"tv redeems it", func(s *tale, ctx context.Context) error { return s.redeem(ctx, s.tv, s.link) }},
	{"tv finds the login", func(s *tale, ctx context.Context) error { return s.finds(ctx, s.tv, "profiles", "serviceTokenSSO") }},
	{"tv watches", func(s *tale, ctx context.Context) error { return s.watches(ctx, s.tv, `"authorized":true`) }},
	{"tv logs out", (*tale).logOut},
	{"browser ends the session at the MVPD", (*tale).leaveMVPD},
	{"phone finds nothing", func(s *tale, ctx context.Context) error { return s.finds(ctx, s.phone, "profiles", "") }},
	{"phone is refused", func(s *tale, ctx context.Context) error {
		return s.watches(ctx, s.phone, "authenticated_profile_missing")
	}},
}

func (s *tale) beginSession(ctx context.Context) error {
	b, err := s.begin(ctx, s.phone, whole("AcmeTV"), "AD-Service-Token", s.phone.token)
	s.code = b.Code
	return err
}

// openLogin goes as far as the MVPD's answer, which the browser has not brought
// back yet.
func (s *tale) openLogin(ctx context.Context) error {
	at, err := s.browser.open(ctx, s.provider, s.code)
	if err != nil {
		return err
	}
	a, err := s.browser.visit(ctx, at, url.Values{"viewer": {"ada"}})
	s.callback = a.Headers.Get("Location")
	return want(a, err, http.StatusSeeOther, nil)
}

func (s *tale) comeBack(ctx context.Context) error {
	end, a, err := s.browser.follow(ctx, s.callback, nil)
	if err == nil && end != home {
		err = fmt.Errorf("%w: ended at %s: %d", errStatus, end, a.Status)
	}
	return err
}

func (s *tale) showLink(ctx context.Context) (err error) {
	s.link, err = s.app.link(ctx, s.phone)
	return err
}

func (s *tale) finds(ctx context.Context, d *device, path, kind string) error {
	a, err := s.v2(ctx, "GET", path, d, "", "AD-Service-Token", d.token)
	if err = want(a, err, http.StatusOK, nil); err != nil {
		return err
	}
	if kind == "" && string(a.Body) != `{"profiles":{}}` || !strings.Contains(string(a.Body), kind) {
		return fmt.Errorf("%w: found %s, want %q", errStatus, a.Body, kind)
	}
	return nil
}

func (s *tale) watches(ctx context.Context, d *device, answer string) error {
	a, err := s.v2(ctx, "POST", "decisions/authorize/AcmeTV", d, `{"resources":["channel-1"]}`, "AD-Service-Token", d.token)
	if err = want(a, err, http.StatusOK, nil); err == nil && !strings.Contains(string(a.Body), answer) {
		err = fmt.Errorf("%w: decided %s, want %s", errStatus, a.Body, answer)
	}
	return err
}

func (s *tale) logOut(ctx context.Context) error {
	a, err := s.v2(ctx, "GET", "logout/AcmeTV?redirectUrl="+url.QueryEscape(home), s.tv, "", "AD-Service-Token", s.tv.token)
	if err = want(a, err, http.StatusOK, nil); err != nil {
		return err
	}
	if _, rest, found := strings.Cut(string(a.Body), `"url":"`); found {
		s.farewell, _, _ = strings.Cut(rest, `"`)
	}
	return nil
}

// leaveMVPD opens the logout agent URL. When the logout was interrupted the app
// was not given one; and the URL works once, whether or not its answer came.
func (s *tale) leaveMVPD(ctx context.Context) error {
	if s.farewell == "" {
		return nil
	}
	end, a, err := s.browser.follow(ctx, publicURL+s.farewell, nil)
	if err == nil && end != home && !(s.interrupted && a.Status == http.StatusBadRequest) {
		err = fmt.Errorf("%w: ended at %s: %d", errStatus, end, a.Status)
	}
	return err
}

// TestKilledBetweenAnyTwoSteps kills the node with SIGKILL before each step of
// the tale in turn, and once in the middle of each: the tale goes on where it
// was, each step repeated until it is answered. It prints a table.
func TestKilledBetweenAnyTwoSteps(t *testing.T) {
	empty := emptyWorld(t)
	for kill := range chapters {
		t.Run(chapters[kill].name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, empty, lifetimes{public: publicURL})
			s := &tale{app: w.stream, phone: newDevice("phone"), tv: newDevice("tv"), browser: w.newBrowser()}
			for i, chapter := range chapters {
				if i == kill {
					w.kill()
					w.start()
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
	empty := emptyWorld(t)
	for kill := range chapters {
		t.Run(chapters[kill].name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, empty, lifetimes{public: publicURL})
			s := &tale{app: w.stream, phone: newDevice("phone"), tv: newDevice("tv"), browser: w.newBrowser()}
			for i, chapter := range chapters {
				if s.interrupted = i == kill; s.interrupted {
					during := make(chan error, 1)
					go func() { during <- chapter.do(s, t.Context()) }()
					<-time.After(time.Duration(kill%4) * time.Millisecond)
					w.kill()
					<-during
					w.start()
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

// eventually repeats a step for ten seconds.
func eventually(ctx context.Context, step func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		err := step(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return err
		case <-tick.C:
		}
	}
}
