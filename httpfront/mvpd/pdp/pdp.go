// Package pdp makes what decides on the viewers of a TV provider, as its configuration
// says: a policy decision point that is asked with AuthZEN (package authzen) or XACML
// (package xacml), or the login alone. Connectors embed it.
package pdp

import (
	"context"
	"log/slog"
	"net/http"
	"slices"
	"time"

	"ssod/httpfront/config"
	"ssod/httpfront/mvpd"
	"ssod/httpfront/mvpd/authzen"
	"ssod/httpfront/mvpd/xacml"
)

// Options is what deciders need of the connector around them. All are required.
type Options struct {
	// Issuer is how decision points that speak XACML know this service.
	Issuer string
	Now    func() time.Time
	Log    *slog.Logger
}

// New returns the decider of a provider. A decision point is asked over connections of
// its own, so that one which hangs takes none from logins, and through a circuit breaker.
func New(m *config.MVPD, o Options) (mvpd.Decider, error) {
	switch {
	case m.Decision == config.DecisionAuthenticated:
		return authenticated{}, nil
	case m.AuthzURL == "" && m.XACMLURL == "":
		return nobody{}, nil
	}
	client, err := mvpd.NewClient(m.CAFile)
	if err != nil {
		return nil, err
	}
	if m.AuthzCertFile != "" {
		client = mvpd.WithCertificate(client, m.AuthzCertificate)
	}
	return watched{mvpd.Break(point(m, withToken(client, m), o), m.ID, o.Log), client}, nil
}

// watched is a decision point with the client that asks it.
type watched struct {
	mvpd.Decider
	client *http.Client
}

// Health implements [mvpd.Watched].
func (w watched) Health() []*mvpd.Health { return mvpd.HealthOf(w.client) }

// point is the decision point of a provider.
func point(m *config.MVPD, client *http.Client, o Options) mvpd.Decider {
	if m.AuthzURL != "" {
		return authzen.New(m.AuthzURL, client)
	}
	return xacml.New(xacml.Options{
		URL: m.XACMLURL, Issuer: o.Issuer, Obligations: m.Obligations, HTTP: client, Now: o.Now,
		Log: o.Log.With("mvpd", m.ID),
	})
}

// nobody decides nothing.
type nobody struct{}

func (nobody) Decide(context.Context, mvpd.Question) ([]mvpd.Decision, error) {
	return nil, mvpd.ErrNobodyDecides
}

// authenticated permits everything to whoever is logged in.
type authenticated struct{}

func (authenticated) Decide(_ context.Context, q mvpd.Question) ([]mvpd.Decision, error) {
	return slices.Repeat([]mvpd.Decision{{Verdict: mvpd.Permit}}, len(q.Resources)), nil
}
