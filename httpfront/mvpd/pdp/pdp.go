// Package pdp makes what decides on the viewers of a TV provider, as its configuration
// says: a policy decision point that is asked with AuthZEN (package authzen) or XACML
// (package xacml), or the login alone. Connectors embed it.
package pdp

import (
	"context"
	"errors"
	"log/slog"
	"slices"

	"ssod/httpfront/config"
	"ssod/httpfront/mvpd"
	"ssod/httpfront/mvpd/authzen"
)

// New returns the decider of a provider. A decision point is asked over connections of
// its own, so that one which hangs takes none from logins, and through a circuit breaker.
func New(m *config.MVPD, log *slog.Logger) (mvpd.Decider, error) {
	switch {
	case m.Decision == config.DecisionAuthenticated:
		return authenticated{}, nil
	case m.AuthzURL == "":
		return nobody{}, nil
	}
	client, err := mvpd.NewClient(m.CAFile)
	if err != nil {
		return nil, err
	}
	return mvpd.Break(authzen.New(m.AuthzURL, client), m.ID, log), nil
}

// nobody decides nothing.
type nobody struct{}

func (nobody) Decide(context.Context, mvpd.Question) ([]mvpd.Decision, error) {
	return nil, errors.New("no decision point is configured")
}

// authenticated permits everything to whoever is logged in.
type authenticated struct{}

func (authenticated) Decide(_ context.Context, q mvpd.Question) ([]mvpd.Decision, error) {
	return slices.Repeat([]mvpd.Decision{{Verdict: mvpd.Permit}}, len(q.Resources)), nil
}
