package e2e

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"ssod/actors/profile"
	"ssod/cluster"
	"ssod/cmd/internal/e2e/examples"
	"ssod/cmd/internal/ssodtest"
	"ssod/httpfront"
	"ssod/httpfront/api/registration"
	"ssod/httpfront/api/sso"
	"ssod/httpfront/config"
	"ssod/httpfront/token/keys"
	"ssod/httpfront/token/keys/keystest"
	"ssod/httpfront/token/keys/sealing"
)

var errInjected = errors.New("injected fault: disk controller 7 of rack 12")

// faulty profiles fail in a way that nobody has foreseen.
type faulty struct{ sso.Profiles }

func (faulty) Mint(context.Context, cluster.RequestID, profile.ID, *profile.Mint) (int64, error) {
	return 0, errInjected
}

// TestAnInternalFaultSaysNothing answers the conformance case of an injected
// fault with the real listener over a socket: the client learns that something
// is wrong with us and nothing else; the log has the cause and the same trace.
func TestAnInternalFaultSaysNothing(t *testing.T) {
	t.Parallel()
	cases := loadCases(t)
	c := cases[slices.IndexFunc(cases, func(c examples.Case) bool { return c.ID == injected })]
	var log strings.Builder
	front, token := startFaulty(t, &log)
	request, err := examples.Expand(c.Request, func(string) (string, error) { return token, nil })
	must(t, err)
	answer, err := exchange(t.Context(), newClient(t), "http://"+front.Address().String(),
		call{method: request.Method, target: request.Target(), headers: request.Headers})
	must(t, err)
	for _, difference := range c.Expect.Match(answer, nil) {
		t.Errorf("%s: %s", c.Title, difference)
	}
	if has(string(answer.Body), "injected") {
		t.Errorf("the client learns the cause: %s", answer.Body)
	}
	must(t, front.Shutdown(t.Context()))
	trace, err := examples.Field(answer.Body, "$.error.trace")
	if err != nil || !has(log.String(), trace, "rack 12") {
		t.Errorf("the log has not the cause with trace %s: %s", trace, log.String())
	}
}

// startFaulty starts the listener with real keys and clients in memory and
// faulty profiles; it returns an access token too.
func startFaulty(t *testing.T, log *strings.Builder) (*httpfront.Server, string) {
	t.Helper()
	cfg, err := config.Parse([]byte("realms: [{id: programmer, serviceProviders: [STREAM1]}]"), config.Options{})
	must(t, err)
	settings := func() *config.Config { return cfg }
	logger := slog.New(slog.NewTextHandler(log, nil))
	store := &keystest.Store{}
	ring, err := keys.Open(t.Context(), keys.Options{Store: store, Sealing: sealing.Options{Key: make([]byte, sealing.KeySize)}, Settings: settings, Log: logger})
	must(t, err)
	t.Cleanup(ring.Close)
	clients, err := registration.Open(registration.Options{Store: store, Keys: ring, Settings: settings, Log: logger})
	must(t, err)
	t.Cleanup(clients.Close)
	statement, err := clients.CreateStatement(t.Context(), registration.StatementRequest{ClientName: "e2e", ServiceProviders: []string{"STREAM1"}})
	must(t, err)

	front, err := httpfront.Start(httpfront.Options{
		Address:  "127.0.0.1:0",
		Handlers: httpfront.NewHandlers(&sso.Service{Tokens: ring, Clients: clients, Profiles: faulty{}, Log: logger}, clients, ring),
		Settings: settings, Log: logger,
	})
	must(t, err)
	n := &node{Node: &ssodtest.Node{TB: t, HTTP: front.Address().String()}, client: newClient(t)}
	id, secret, err := n.register(t.Context(), statement.SoftwareStatement)
	must(t, err)
	token, err := n.grant(t.Context(), id, secret)
	must(t, err)
	return front, token
}
