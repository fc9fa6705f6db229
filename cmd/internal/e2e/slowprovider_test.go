package e2e

import (
	"context"
	"crypto/rand"
	"net/http"
	"strings"
	"sync"
	"testing"

	"ssod/bench/provider"
	"ssod/httpfront/client"
)

// crowded is more calls than one TV provider may have of a node.
const crowded = 140

// TestASlowProviderSlowsNoOther: the decision point of one TV provider hangs, with as
// many calls as it may have and more. The viewers of the other one do not notice.
func TestASlowProviderSlowsNoOther(t *testing.T) {
	t.Parallel()
	p := startTwoProviders(t)
	var done sync.WaitGroup
	release := make(chan struct{})
	p.slow.Decide(func(w http.ResponseWriter, r *http.Request) {
		<-release
		provider.Permit(w, r)
	})
	codes := make(chan string, crowded)
	for range crowded {
		done.Go(func() { codes <- p.outcome("slow") })
	}
	until(p, "as many questions as a provider may have", func() bool { return p.slow.Asked() == 128 })
	for range 10 {
		if got := p.outcome("fast"); got != "permit" {
			t.Errorf("while the other provider hangs: %s", got)
		}
	}
	close(release)
	done.Wait()
	count := map[string]int{}
	for range crowded {
		count[<-codes]++
	}
	if count["permit"] != 128 || count["network_received_error"] != crowded-128 {
		t.Errorf("at the provider that hung: %v, want 128 permits; the rest is turned away", count)
	}
}

// TestABreakerOpensAndCloses: a decision point that fails is asked no more, which the
// metrics say, and is asked again when it has had its rest.
func TestABreakerOpensAndCloses(t *testing.T) {
	t.Parallel()
	p := startTwoProviders(t)
	p.slow.Decide(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) })
	for range 6 {
		if got := p.outcome("slow"); got != "network_received_error" {
			t.Fatalf("a decision point that fails: %s", got)
		}
	}
	if asked := p.slow.Asked(); asked != 5 {
		t.Errorf("it was asked %d times, want 5", asked)
	}
	if !p.shows(`ssod_mvpd_breaker_open{mvpd="slow",realm="acme"} 1`) || !p.shows(`ssod_mvpd_breaker_open{mvpd="fast",realm="acme"} 0`) {
		t.Error("the metrics do not say that the breaker is open, and the other one is not")
	}
	p.slow.Decide(provider.Permit)
	until(p, "another question to the decision point", func() bool { return p.outcome("slow") == "permit" })
	if !p.shows(`ssod_mvpd_breaker_open{mvpd="slow",realm="acme"} 0`) {
		t.Error("the metrics do not say that the breaker is closed")
	}
}

// twoProviders is a node with a device that is logged in at two TV providers.
type twoProviders struct {
	*node
	device     *client.Device
	fast, slow *provider.Provider
}

func startTwoProviders(t *testing.T) *twoProviders {
	t.Helper()
	p := &twoProviders{fast: startProvider(t), slow: startProvider(t)}
	mvpd := func(id string, p *provider.Provider) string {
		return "      - {id: " + id + ", kind: oidc, decisionTimeout: 9s, issuer: '" + p.Issuer + "', clientId: " + provider.ClientID + ", authzURL: '" + p.DecisionURL + "'}\n"
	}
	p.node = startNode(t, `
publicURL: `+publicURL+`
throttle: {enabled: false}
realms:
  - id: acme
    serviceProviders: [{id: tv, domains: [app.example]}]
    mvpds:
`+mvpd("fast", p.fast)+mvpd("slow", p.slow))
	p.device = newOpenIDApp(t, p.node)
	for _, id := range []string{"fast", "slow"} {
		session, err := p.device.CreateSession(t.Context(), client.SessionParameters{MVPD: id, DomainName: "app.example", RedirectURL: "https://app.example/in"})
		must(t, err)
		b := newOpenIDBrowser(t, p.node)
		if b.open(session.URL); b.at != "https://app.example/in" {
			t.Fatalf("the login at %s ends at %s", id, b.at)
		}
	}
	return p
}

func startProvider(t *testing.T) *provider.Provider {
	t.Helper()
	p, err := provider.Start()
	must(t, err)
	t.Cleanup(func() { must(t, p.Close()) })
	return p
}

// outcome is what a call for a decision at a TV provider brings: permit, or a code. Each
// call asks for a channel of its own, since permits are remembered.
func (p *twoProviders) outcome(mvpd string) string {
	decisions, err := p.device.Authorize(context.WithoutCancel(p.Context()), mvpd, "channel-"+rand.Text())
	switch {
	case err != nil:
		return err.Error()
	case decisions[0].Authorized:
		return "permit"
	default:
		return decisions[0].Error.Code
	}
}

func (p *twoProviders) shows(line string) bool {
	p.Helper()
	status, page := p.Page("/metrics")
	return status == http.StatusOK && strings.Contains(page, line+"\n")
}
