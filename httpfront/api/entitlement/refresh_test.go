package entitlement_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"ssod/actors/grant"
	"ssod/cluster"
	"ssod/cluster/faulty"
	"ssod/httpfront/api/entitlement"
	"ssod/httpfront/config"
	"ssod/httpfront/fronttest"
	"ssod/httpfront/mvpd"
)

// rotating is a TV provider that gives new tokens at each use, and takes a second use of
// old ones for theft. What it says of the viewer is the number of uses.
type rotating struct {
	mu     sync.Mutex
	good   int   // number of the tokens that are good
	uses   int   // requests with tokens
	refuse error // what becomes of the next ones
	// taken is closed when the next use begins, which then waits for wait.
	taken, wait chan struct{}
}

func (*rotating) Begin(_ context.Context, l mvpd.Login) (mvpd.Step, error) {
	return mvpd.Step{URL: l.Callback + "?state=" + url.QueryEscape(l.State)}, nil
}

func (p *rotating) Complete(context.Context, mvpd.Login, url.Values) (mvpd.Identity, error) {
	return mvpd.Identity{Subject: "viewer-1", Attributes: uses(0), Tokens: []byte("secret 0")}, nil
}

func uses(n int) []mvpd.Attribute {
	return []mvpd.Attribute{{Name: "uses", Value: json.RawMessage(strconv.Itoa(n))}}
}

func (*rotating) Decide(_ context.Context, q mvpd.Question) ([]mvpd.Decision, error) {
	return slices.Repeat([]mvpd.Decision{{Verdict: mvpd.Permit}}, len(q.Resources)), nil
}

func (*rotating) Logout(context.Context, mvpd.Logout) (mvpd.Step, error) { return mvpd.Step{}, nil }

func (*rotating) KeepsTokens() bool { return true }

var errTheft = errors.New("the tokens were used before")

func (p *rotating) Refresh(_ context.Context, tokens []byte) (mvpd.Refreshed, error) {
	p.mu.Lock()
	taken, wait := p.taken, p.wait
	p.mu.Unlock()
	if wait != nil {
		close(taken)
		<-wait
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.uses++
	if p.refuse != nil {
		return mvpd.Refreshed{}, p.refuse
	}
	if string(tokens) != fmt.Sprint("secret ", p.good) {
		return mvpd.Refreshed{}, errTheft
	}
	p.good++
	return mvpd.Refreshed{Tokens: fmt.Append(nil, "secret ", p.good), Attributes: uses(p.good)}, nil
}

func (p *rotating) set(change func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	change()
}

func (p *rotating) used() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.uses
}

const granting = `
throttle: {enabled: false}
realms:
  - id: acme
    serviceProviders: [{id: STREAM1, domains: [stream.example]}]
    mvpds: [{id: cable, kind: oidc, issuer: "https://cable.example", clientId: ssod, decision: authenticated, authzTTL: 1m}]
`

// startGranting starts a node with the provider.
func startGranting(t *testing.T, o fronttest.Options) (*app, *rotating) {
	t.Helper()
	t.Parallel()
	p := &rotating{}
	change := o.Entitlement
	o.Config = granting
	o.Entitlement = func(e *entitlement.Options) {
		make := func(*config.Config, *config.Realm, *config.MVPD) (mvpd.Connector, error) { return p, nil }
		e.Providers = mvpd.NewRegistry(map[string]mvpd.Maker{"oidc": make}, o.Log)
		if change != nil {
			change(e)
		}
	}
	n := fronttest.Start(t, o)
	return &app{t, n, n.AccessToken(t, "STREAM1"), "STREAM1"}, p
}

// logInAway logs in at a provider that sends the browser back at once.
func (a *app) logInAway(device string, header ...string) {
	a.Helper()
	code := a.code(device, "cable", header...)
	if end, r := a.browser().follow("/api/v2/authenticate/"+a.sp+"/"+code, nil); end != home {
		a.Fatalf("the browser ended at %s: %s", end, r.Raw)
	}
}

// uses is the attribute as a device finds it.
func (a *app) uses(device string, header ...string) string {
	a.Helper()
	r := a.do(a.call("GET", "profiles/cable", device, header...))
	if r.StatusCode != http.StatusOK {
		a.Fatalf("profiles: %d %s", r.StatusCode, r.Raw)
	}
	profile, ok := r.JSON["profiles"].(map[string]any)["cable"].(map[string]any)
	if !ok {
		return "no login"
	}
	return fmt.Sprint(profile["attributes"].(map[string]any)["uses"].(map[string]any)["value"])
}

// TestAttributesAreUpdatedAtAuthorization once per authzTTL, in every copy of a login, and
// by one request to the provider although many devices ask at once.
func TestAttributesAreUpdatedAtAuthorization(t *testing.T) {
	a, p := startGranting(t, fronttest.Options{})
	phone, tv := a.mint("phone", "viewer"), a.mint("tv", "viewer")
	a.logInAway("phone", "AD-Service-Token", phone)
	ask := func() {
		t.Helper()
		var all sync.WaitGroup
		for range 8 {
			for device, token := range map[string]string{"phone": phone, "tv": tv} {
				all.Go(func() {
					if got := a.authorize(device, "cable", "AD-Service-Token", token); got != "permit" {
						t.Errorf("%s: %s", device, got)
					}
				})
			}
		}
		all.Wait()
	}
	ask()
	a.same("uses before they are due", p.used(), 0)
	for n := range 3 {
		a.node.Sleep(61 * time.Second)
		ask()
		a.same("uses", p.used(), n+1)
		a.same("on the phone", a.uses("phone", "AD-Service-Token", phone), strconv.Itoa(n+1))
		a.same("on the TV", a.uses("tv", "AD-Service-Token", tv), strconv.Itoa(n+1))
	}
	a.node.Sleep(61 * time.Second)
	a.same("preauthorize", a.decisions("preauthorize", "tv", "cable", []string{"news"}, "AD-Service-Token", tv)[0], "permit")
	a.same("uses for what informs only", p.used(), 3)
}

// TestTokensThatAreWorthNothing end the login, and each is used once.
func TestTokensThatAreWorthNothing(t *testing.T) {
	a, p := startGranting(t, fronttest.Options{})
	phone, tv := a.mint("phone", "viewer"), a.mint("tv", "viewer")
	a.logInAway("phone", "AD-Service-Token", phone)
	p.set(func() { p.refuse = errTheft })
	a.node.Sleep(61 * time.Second)
	a.same("the TV", a.authorize("tv", "cable", "AD-Service-Token", tv), "authenticated_profile_invalidated")
	a.same("the phone", a.authorize("phone", "cable", "AD-Service-Token", phone), "authenticated_profile_invalidated")
	a.node.Sleep(61 * time.Second)
	a.same("the phone later", a.authorize("phone", "cable", "AD-Service-Token", phone), "authenticated_profile_invalidated")
	a.same("uses", p.used(), 1)

	p.set(func() { p.refuse = nil })
	a.logInAway("phone", "AD-Service-Token", phone)
	a.node.Sleep(61 * time.Second)
	a.same("after the next login", a.authorize("tv", "cable", "AD-Service-Token", tv), "permit")
	a.same("its uses", a.uses("tv", "AD-Service-Token", tv), "1")
}

// TestTokensThatWereNotUsed are tried again after a minute. The viewer watches meanwhile.
func TestTokensThatWereNotUsed(t *testing.T) {
	a, p := startGranting(t, fronttest.Options{})
	a.logInAway("phone")
	p.set(func() { p.refuse = fmt.Errorf("%w: down", mvpd.ErrTokensUnused) })
	a.node.Sleep(61 * time.Second)
	for _, channel := range []string{"news", "sports", "films"} {
		a.same(channel, a.decisions("authorize", "phone", "cable", []string{channel})[0], "permit")
	}
	a.same("uses", p.used(), 1)
	p.set(func() { p.refuse = nil })
	a.node.Sleep(61 * time.Second)
	a.same("later", a.decisions("authorize", "phone", "cable", []string{"series"})[0], "permit")
	a.same("then", a.uses("phone"), "1")
}

// lostGrants loses what becomes of tokens, as a node does that is killed.
type lostGrants struct{ entitlement.Grants }

func (lostGrants) Put(_ context.Context, _ cluster.RequestID, _ grant.ID, _ *grant.Put) (bool, error) {
	return true, nil
}

// TestAUserOfTokensThatDoesNotComeBack costs the login, once.
func TestAUserOfTokensThatDoesNotComeBack(t *testing.T) {
	a, p := startGranting(t, fronttest.Options{Entitlement: func(e *entitlement.Options) { e.Grants = lostGrants{e.Grants} }})
	a.logInAway("phone")
	a.node.Sleep(61 * time.Second)
	a.same("first", a.authorize("phone", "cable"), "permit")
	a.same("while nobody knows", a.decisions("authorize", "phone", "cable", []string{"news"})[0], "permit")
	a.node.Sleep(time.Minute)
	a.same("after the lease", a.decisions("authorize", "phone", "cable", []string{"films"})[0], "authenticated_profile_invalidated")
	a.same("uses", p.used(), 1)
	a.logInAway("phone")
	a.same("after the next login", a.authorize("phone", "cable"), "permit")
}

// TestLogoutWhileTokensAreInUse leaves nothing of them.
func TestLogoutWhileTokensAreInUse(t *testing.T) {
	a, p := startGranting(t, fronttest.Options{})
	a.logInAway("phone")
	taken, wait := make(chan struct{}), make(chan struct{})
	p.set(func() { p.taken, p.wait = taken, wait })
	a.node.Sleep(61 * time.Second)
	answer := make(chan string)
	go func() { answer <- a.authorize("phone", "cable") }()
	<-taken
	a.do(a.call("GET", "logout/cable?redirectUrl="+url.QueryEscape(home), "phone"))
	close(wait)
	a.same("the call meanwhile", <-answer, "authenticated_profile_invalidated")
	a.same("the login", len(a.found("phone")), 0)
}

// TestTokensUnderFaults: whatever becomes of commits, tokens are used once each, and a
// login goes on unless its tokens are lost.
func TestTokensUnderFaults(t *testing.T) {
	var on bool
	var mu sync.Mutex
	plan := faulty.Seeded(7, 30)
	a, p := startGranting(t, fronttest.Options{Cluster: faulty.Options{
		Delay: time.Microsecond,
		Commits: func(op faulty.Op) faulty.Fault {
			mu.Lock()
			defer mu.Unlock()
			if !on {
				return faulty.None
			}
			return plan(op)
		},
	}})
	switchTo := func(to bool) { mu.Lock(); defer mu.Unlock(); on = to }
	for n := range 8 {
		a.logInAway("phone")
		p.set(func() { p.good = 0 })
		switchTo(true)
		a.node.Sleep(61 * time.Second)
		body := fmt.Sprintf(`{"resources":["channel-%d"]}`, n)
		a.patient("authorize", func() fronttest.Answer {
			c := a.call("POST", "decisions/authorize/cable", "phone").With("Content-Type", "application/json")
			c.Body = body
			return a.do(c)
		})
		switchTo(false)
		a.do(a.call("GET", "logout/cable?redirectUrl="+url.QueryEscape(home), "phone"))
	}
	p.set(func() {
		if p.refuse != nil || p.uses > 8 {
			t.Errorf("%d uses", p.uses)
		}
	})
}

// TestTokensAreSealed wherever they are kept, and in no log.
func TestTokensAreSealed(t *testing.T) {
	var stored, log bytes.Buffer
	var mu sync.Mutex
	a, _ := startGranting(t, fronttest.Options{
		Log: slog.New(slog.NewTextHandler(&log, nil)),
		Cluster: faulty.Options{Commits: func(op faulty.Op) faulty.Fault {
			mu.Lock()
			defer mu.Unlock()
			if op.Commit != nil {
				stored.Write(op.Commit.State)
				for _, o := range op.Commit.Outcomes {
					stored.Write(o.Result)
				}
			}
			return faulty.None
		}},
	})
	a.logInAway("phone")
	a.node.Sleep(61 * time.Second)
	a.same("authorize", a.authorize("phone", "cable"), "permit")
	mu.Lock()
	defer mu.Unlock()
	if !strings.Contains(stored.String(), "viewer-1") || strings.Contains(stored.String()+log.String(), "secret ") {
		t.Error("tokens are in clear, or the test does not see what is stored")
	}
}

// TestTokensNeedALevel of the format; a viewer is told before logging in.
func TestTokensNeedALevel(t *testing.T) {
	level := 1
	a, _ := startGranting(t, fronttest.Options{Entitlement: func(e *entitlement.Options) { e.Level = func() int { return level } }})
	code := a.code("phone", "cable")
	if end, r := a.browser().follow("/api/v2/authenticate/STREAM1/"+code, nil); end != home+"?error=temporarily_unavailable" {
		t.Errorf("at level 1: %s: %d %s", end, r.StatusCode, r.Raw)
	}
	level = 2
	a.logInAway("phone")
}
