package entitlement_test

import (
	"context"
	"log/slog"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"ssod/httpfront/api/entitlement"
	"ssod/httpfront/config"
	"ssod/httpfront/fronttest"
	"ssod/httpfront/mvpd"
)

// witness is a TV provider that remembers for whom it was asked, and lets
// everybody in.
type witness struct {
	mu   sync.Mutex
	told []mvpd.Requester
}

func (w *witness) hear(r mvpd.Requester) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.told = append(w.told, r)
}

func (w *witness) Begin(_ context.Context, l mvpd.Login) (mvpd.Step, error) {
	w.hear(l.Requester)
	return mvpd.Step{URL: "https://idp.example/?state=" + url.QueryEscape(l.State)}, nil
}

func (w *witness) Complete(_ context.Context, l mvpd.Login, _ url.Values) (mvpd.Identity, error) {
	w.hear(l.Requester)
	return mvpd.Identity{Subject: "somebody"}, nil
}

func (w *witness) Decide(_ context.Context, q mvpd.Question) ([]mvpd.Decision, error) {
	w.hear(q.Requester)
	return make([]mvpd.Decision, len(q.Resources)), nil // no permit: it is asked again
}

func (w *witness) Logout(context.Context, mvpd.Logout) (mvpd.Step, error) { return mvpd.Step{}, nil }

// heard returns what was heard since the last time.
func (w *witness) heard() []mvpd.Requester {
	w.mu.Lock()
	defer w.mu.Unlock()
	told := w.told
	w.told = nil
	return told
}

// TestWhomProvidersAreToldOf: at both ends of a login and at a decision a provider
// learns of the device, of the address, and where a single sign-on comes from.
func TestWhomProvidersAreToldOf(t *testing.T) {
	t.Parallel()
	w := &witness{}
	makers := map[string]mvpd.Maker{"oidc": func(*config.Config, *config.Realm, *config.MVPD) (mvpd.Connector, error) { return w, nil }}
	a := startWith(t, `
throttle: {enabled: false}
realms:
  - id: acme
    serviceProviders: [{id: STREAM1, domains: [stream.example]}]
    session: {confirm: never}
    mvpds:
      - {id: cable, kind: oidc, issuer: "https://idp.example", clientId: ssod}
      - {id: sat, kind: oidc, issuer: "https://sat.example", clientId: ssod}
`, func(o *entitlement.Options) { o.Providers = mvpd.NewRegistry(makers, slog.New(slog.DiscardHandler)) })
	const info = "eyJwcmltYXJ5SGFyZHdhcmVUeXBlIjoiVFYiLCJtb2RlbCI6IlFYLTU1IiwibWFudWZhY3R1cmVyIjoiU2Ftc3VuZyJ9" // TV, Samsung QX-55
	tv := []string{"AD-Service-Token", a.mint("tv", "viewer"), "X-Device-Info", info, "X-Forwarded-For", "192.0.2.1"}
	phone := []string{"AD-Service-Token", a.mint("phone", "viewer"), "X-Forwarded-For", "192.0.2.2"}
	logIn := func(device, mvpd string, headers ...string) {
		t.Helper()
		b := a.browser()
		at, _ := b.follow("/api/v2/authenticate/STREAM1/"+a.code(device, mvpd, headers...), nil)
		_, state, _ := strings.Cut(at, "state=")
		if end, _ := b.follow("/api/v2/authenticate/callback?state="+state, nil); end != home {
			t.Fatalf("the browser ended at %s", end)
		}
	}
	told := func(what string, want ...mvpd.Requester) []mvpd.Requester {
		t.Helper()
		got := w.heard()
		options := cmp.Options{cmpopts.IgnoreFields(mvpd.Device{}, "ID"), cmp.Comparer(func(a, b netip.Addr) bool { return a == b })}
		if diff := cmp.Diff(want, got, options); diff != "" {
			t.Fatalf("%s: -want +got\n%s", what, diff)
		}
		return got
	}
	samsung, browserAt := mvpd.Device{Name: "Samsung QX-55", Type: "smartTV"}, netip.MustParseAddr("127.0.0.1")
	unknown := mvpd.Device{Type: "unknown"}

	logIn("tv", "cable", tv...)
	begun := mvpd.Requester{Device: samsung, Address: browserAt, SSO: mvpd.SSO{Method: "serviceTokenSSO"}}
	login := told("login", begun, begun)
	a.authorize("tv", "cable", tv...)
	own := told("decision with a login of its own", mvpd.Requester{Device: samsung, Address: netip.MustParseAddr("192.0.2.1")})
	a.authorize("phone", "cable", phone...)
	found := told("decision with a login that was found",
		mvpd.Requester{Device: unknown, Address: netip.MustParseAddr("192.0.2.2"), SSO: mvpd.SSO{Method: "serviceTokenSSO"}})
	logIn("tv", "sat")
	alone := mvpd.Requester{Device: unknown, Address: browserAt}
	elsewhere := told("login without an identity", alone, alone)

	ids := []string{login[0].Device.ID, login[1].Device.ID, own[0].Device.ID, found[0].Device.ID, elsewhere[0].Device.ID}
	if ids[0] != ids[1] || ids[1] != ids[2] || len(ids[0]) != 22 {
		t.Errorf("the same device at the same provider: %q", ids)
	}
	if ids[3] == ids[0] || ids[4] == ids[0] || strings.Contains(fronttest.Device("tv"), ids[0]) {
		t.Errorf("another device, and the same at another provider: %q", ids)
	}
}
