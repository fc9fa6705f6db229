package admin

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"time"

	"ssod/httpfront/config"
	"ssod/httpfront/degradation"
	"ssod/httpfront/mvpd"
)

// Providers finds TV providers; [mvpd.Registry] does.
type Providers interface {
	// Provider fails with [mvpd.ErrUnknown] or [mvpd.ErrInactive].
	Provider(cfg *config.Config, realm *config.Realm, id string) (*mvpd.Provider, error)
}

// testWithin bounds a test of a provider. What takes longer fails, and the report says so.
const testWithin = deadline - time.Second

// probe is the body of testProvider. All of it may be left out.
type probe struct {
	Resource        string `json:"resource"`
	Subject         string `json:"subject"`
	ServiceProvider string `json:"serviceProvider"`
}

// probed is the answer of testProvider.
type probed struct {
	Realm string      `json:"realm"`
	MVPD  string      `json:"mvpd"`
	Kind  string      `json:"kind"`
	OK    bool        `json:"ok"` // nothing fails
	Lines []mvpd.Line `json:"lines"`
}

// testProvider serves POST /admin/v1/providers/{realm}/{mvpd}/test.
func testProvider(ctx context.Context, c *call) (any, error) {
	var in probe
	if err := c.decode(&in); err != nil {
		return nil, err
	}
	cfg := c.Settings()
	realm, ok := cfg.Realm(c.PathValue("realm"))
	if !ok {
		return nil, fmt.Errorf("%w: there is no realm %q", errNotFound, c.PathValue("realm"))
	}
	id := c.PathValue("mvpd")
	p, err := c.Providers.Provider(cfg, realm, id)
	if errors.Is(err, mvpd.ErrUnknown) {
		return nil, fmt.Errorf("%w: realm %s has no MVPD %q", errNotFound, realm.ID, id)
	}
	c.note("realm", realm.ID)
	c.note("mvpd", id)
	degraded := c.degraded(realm, id)
	if err != nil {
		return probed{Realm: realm.ID, MVPD: id, Kind: kindOf(realm, id), Lines: append(degraded, mvpd.Line{
			Check: "configuration", Result: mvpd.Fail, Detail: "the provider cannot be used", Advice: "the node's log says why; mend the configuration, then ssoctl reload",
		})}, nil
	}
	provider, err := channel(realm, p, in.ServiceProvider)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, testWithin)
	defer cancel()
	report := p.Test(ctx, mvpd.Probe{
		Login: mvpd.Login{
			Secrets: mvpd.DeriveSecrets([]byte(rand.Text()), "ssod-provider-test"), Callback: cfg.PublicURL + "/api/v2/authenticate/callback",
			ServiceProvider: provider.DisplayName, ServiceProviderID: provider.ID,
			Requester: mvpd.Requester{Device: mvpd.Device{ID: "ssod-provider-test", Type: "unknown"}},
		},
		ServiceProvider: provider.ID, Resource: in.Resource, Subject: in.Subject, Now: time.Now(),
	})
	return probed{realm.ID, id, p.Config.Kind, !report.Failed(), append(degraded, report.Lines...)}, nil
}

// degraded are lines about the rules of degradation that count: where there is one, apps do
// not get what the test finds.
func (c *call) degraded(realm *config.Realm, id string) (lines []mvpd.Line) {
	all := c.rules(func(p degradation.Pair) bool {
		return p.MVPD == id && slices.ContainsFunc(realm.ServiceProviders, func(sp config.ServiceProvider) bool { return sp.ID == p.ServiceProvider })
	})
	for _, r := range all.Rules {
		if r.Overridden {
			continue
		}
		l := mvpd.Line{
			Check: "degradation", Result: mvpd.Warn, Detail: fmt.Sprintf("%s answers apps of %s in the place of the provider", r.Rule, r.ServiceProvider),
			Advice: "it is in the configuration: take it out when the provider works, then ssoctl reload",
		}
		if r.Until != nil {
			l.Detail += ", until " + r.Until.UTC().Format(time.RFC3339)
			l.Advice = fmt.Sprintf("ssoctl degrade %s %s off when the provider works", r.ServiceProvider, id)
		}
		lines = append(lines, l)
	}
	return lines
}

func kindOf(realm *config.Realm, id string) string {
	for _, m := range realm.MVPDs {
		if m.ID == id {
			return m.Kind
		}
	}
	return ""
}

// channel is the service provider that asks: the one named, else the first for which the
// integration is active.
func channel(realm *config.Realm, p *mvpd.Provider, named string) (*config.ServiceProvider, error) {
	for i := range realm.ServiceProviders {
		sp := &realm.ServiceProviders[i]
		if sp.ID == named || named == "" && p.ActiveFor(sp.ID) {
			return sp, nil
		}
	}
	if named != "" {
		return nil, badRequest("realm %s has no service provider %q", realm.ID, named)
	}
	return nil, badRequest("MVPD %s is disabled for all service providers of realm %s", p.Config.ID, realm.ID)
}
