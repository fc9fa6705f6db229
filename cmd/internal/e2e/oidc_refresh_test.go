package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"ssod/cmd/internal/ssodtest"
	"ssod/httpfront/client"
)

// refreshes is what the provider counts.
type refreshes struct{ Uses, Refused, Held int }

// TestOneLoginRefreshesOnce has two devices share a login over three nodes and ask for
// decisions all at once, at a provider that takes a second use of a refresh token for theft.
// Then a node is killed while the provider has its request: that costs the login, once.
func TestOneLoginRefreshesOnce(t *testing.T) {
	if !ssodtest.Long() {
		t.Skip("needs an ssod whose clock can be set; SSOD_LONG=1 runs it, and package entitlement tests the same in one process")
	}
	t.Parallel()
	const secret = "shared with the TV provider"
	issuer := startOpenIDProvider(t, secret)
	file := filepath.Join(t.TempDir(), "cable.secret")
	must(t, os.WriteFile(file, []byte(secret), 0o600))
	c := newTrio(t, `
publicURL: `+publicURL+`
throttle: {enabled: false}
realms:
  - id: acme
    serviceProviders: [{id: tv, displayName: Stream One, domains: [app.example]}]
    mvpds:
      - {id: cable, kind: oidc, issuer: "`+issuer+`", clientId: ssod, clientSecretFile: "`+file+`", decision: authenticated,
         scopes: [profile, offline_access], attributes: {plan: plan}, authnTTL: 24h, authzTTL: 1m}
`)
	c.before = func(n *node) {
		n.Program = ssodtest.Settable
		n.Env = append(n.Env, "SHIFTED_CLOCK_FILE="+filepath.Join(n.Dir, "clock"))
	}
	for range 3 {
		c.add()
	}
	c.settled()
	s := &refreshStory{trio: c, issuer: issuer}
	_, credentials := registerOpenIDApp(t, c.node)
	phone, tv := s.device("phone", credentials), s.device("tv", credentials)

	s.logIn(phone[0])
	s.refresh(append(phone, tv...), 1)
	for _, d := range []*client.Device{phone[1], tv[2]} {
		if plan := s.plan(d); plan != `"after 1"` {
			t.Errorf("the plan is %s", plan)
		}
	}

	s.killAtTheProvider(phone)
	s.logIn(phone[1])
	s.refresh(append(phone, tv...), s.ask("/test/refreshes").Uses+1)
}

type refreshStory struct {
	*trio
	issuer string
	ahead  time.Duration
	asked  int // resources
}

// device is a device that calls each of the nodes, with a member's token.
func (s *refreshStory) device(id string, credentials client.Credentials) (at []*client.Device) {
	s.Helper()
	for _, n := range s.nodes {
		c, err := client.New(client.Options{BaseURL: "http://" + n.HTTP, ServiceProvider: "tv"})
		must(s, err)
		d := c.WithCredentials(credentials).Device(client.DeviceOptions{ID: id})
		if len(at) == 0 {
			_, err = d.Mint(s.Context(), "household")
			must(s, err)
		} else {
			d.Restore(at[0].Token())
		}
		at = append(at, d)
	}
	return at
}

func (s *refreshStory) logIn(d *client.Device) {
	s.Helper()
	session, err := d.CreateSession(s.Context(), client.SessionParameters{MVPD: "cable", DomainName: "app.example", RedirectURL: "https://app.example/in"})
	must(s, err)
	if at := newOpenIDBrowser(s.TB.(*testing.T), s.node).logIn(session.URL, "viewer-1"); at != "https://app.example/in" {
		s.Fatalf("the login ends at %s", at)
	}
}

// refresh lets a minute pass and has all devices ask, until the provider has told them how
// the viewer is now; then again.
func (s *refreshStory) refresh(devices []*client.Device, uses int) {
	s.Helper()
	s.pass(61 * time.Second)
	ssodtest.Until(s, "the provider is asked", time.Minute, func() bool { // the shards follow the clocks
		s.askAll(devices)
		return s.ask("/test/refreshes").Uses >= uses
	})
	s.askAll(devices)
	if got := s.ask("/test/refreshes"); got.Uses != uses || got.Refused != 0 {
		s.Fatalf("the provider counts %+v, want %d", got, uses)
	}
}

// pass lets time pass on all nodes.
func (s *refreshStory) pass(d time.Duration) {
	s.Helper()
	s.ahead += d
	for _, n := range s.nodes {
		file := filepath.Join(n.Dir, "clock")
		must(s, os.WriteFile(file+".next", []byte(s.ahead.String()), 0o600))
		must(s, os.Rename(file+".next", file))
	}
}

// askAll has all devices ask for a decision at once.
func (s *refreshStory) askAll(devices []*client.Device) {
	s.Helper()
	var all sync.WaitGroup
	s.asked++
	for _, d := range devices {
		all.Go(func() {
			decisions, err := d.Authorize(s.Context(), "cable", fmt.Sprint("channel-", s.asked))
			if err != nil || !decisions[0].Authorized {
				s.Errorf("authorize: %+v, %v", decisions, err)
			}
		})
	}
	all.Wait()
}

func (s *refreshStory) plan(d *client.Device) string {
	s.Helper()
	profiles, err := d.Profiles(s.Context())
	must(s, err)
	return string(profiles["cable"].Attributes["plan"].Value)
}

func (s *refreshStory) ask(path string) (counts refreshes) {
	s.Helper()
	method := http.MethodPost
	if path == "/test/refreshes" {
		method = http.MethodGet
	}
	r, err := http.NewRequestWithContext(s.Context(), method, s.issuer+path, nil)
	must(s, err)
	answer, err := s.client.Do(r)
	must(s, err)
	defer answer.Body.Close()
	must(s, json.NewDecoder(answer.Body).Decode(&counts))
	return counts
}

// killAtTheProvider kills the node of the first device while the provider has its request,
// and looks at what becomes of the login.
func (s *refreshStory) killAtTheProvider(devices []*client.Device) {
	s.Helper()
	s.pass(61 * time.Second)
	before := s.ask("/test/hold")
	ctx, cancel := context.WithCancel(s.Context())
	var calls sync.WaitGroup
	ssodtest.Until(s, "the provider has the request", time.Minute, func() bool {
		s.asked++
		resource := fmt.Sprint("channel-", s.asked)
		calls.Go(func() { _, _ = devices[0].Authorize(ctx, "cable", resource) }) // the node is killed
		return s.ask("/test/refreshes").Held == 1
	})
	s.kill(s.nodes[0])
	cancel()
	calls.Wait()
	s.ask("/test/release")
	s.pass(31 * time.Second)
	void := func() bool {
		s.asked++
		decisions, err := devices[1].Authorize(s.Context(), "cable", fmt.Sprint("channel-", s.asked))
		must(s, err)
		e := decisions[0].Error
		return e != nil && e.Code == "authenticated_profile_invalidated"
	}
	ssodtest.Until(s, "the login is void", time.Minute, void)
	for range 3 {
		if !void() {
			s.Error("the login is good again")
		}
	}
	if got := s.ask("/test/refreshes"); got.Uses > before.Uses+1 || got.Refused != before.Refused {
		s.Errorf("the provider counts %+v, before %+v", got, before)
	}
	s.start(s.nodes[0])
	s.settled()
	for _, n := range s.nodes {
		if strings.Contains(n.Logged(), "refresh_token") {
			s.Error("tokens are in the log")
		}
	}
}
