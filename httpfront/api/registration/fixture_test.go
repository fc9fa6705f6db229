package registration

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/url"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"ssod/httpfront/config"
	"ssod/httpfront/token/keys"
	"ssod/httpfront/token/keys/keystest"
	"ssod/httpfront/token/keys/sealing"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var begin = time.Date(2026, 1, 2, 20, 0, 0, 0, time.UTC)

// fixture is a service on a store in memory, with a clock that stands still.
type fixture struct {
	*Service
	t     testing.TB
	store *keystest.Store
	ring  *keys.Ring
	cfg   *config.Config
	clock atomic.Pointer[time.Time]
}

func newFixture(t testing.TB) *fixture {
	t.Helper()
	f := &fixture{t: t, store: &keystest.Store{}, cfg: &config.Config{
		Issuer: "https://sso.example.com", AccessToken: config.AccessToken{Algorithm: keys.HS256, TTL: 6 * time.Hour},
		Realms: []*config.Realm{
			{ID: "acme", ServiceProviders: []config.ServiceProvider{{ID: "acme-tv"}, {ID: "acme-kids"}}, ServiceToken: config.ServiceToken{Algorithm: keys.HS256}},
			{ID: "other", ServiceProviders: []config.ServiceProvider{{ID: "other"}}, ServiceToken: config.ServiceToken{Algorithm: keys.HS256}},
		},
	}}
	f.at(begin)
	ring, err := keys.Open(context.Background(), keys.Options{
		Store: f.store, Sealing: sealing.Options{Key: make([]byte, sealing.KeySize)}, Settings: f.settings, Now: f.now, CacheTokens: 64,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(ring.Close)
	f.ring = ring
	f.Service = f.another()
	return f
}

func (f *fixture) at(t time.Time) { f.clock.Store(&t) }

func (f *fixture) now() time.Time { return *f.clock.Load() }

func (f *fixture) settings() *config.Config { return f.cfg }

// another opens one more service on the same tables, as another node would.
func (f *fixture) another() *Service {
	f.t.Helper()
	s, err := Open(Options{
		Store: f.store, Keys: f.ring, Settings: f.settings, Now: f.now, Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
	})
	if err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(s.Close)
	return s
}

// create makes a statement for acme-tv, changed by edit.
func (f *fixture) create(edit ...func(*StatementRequest)) CreatedStatement {
	f.t.Helper()
	r := StatementRequest{ClientName: "Acme TV", ServiceProviders: []string{"acme-tv"}}
	for _, e := range edit {
		e(&r)
	}
	created, err := f.CreateStatement(context.Background(), r)
	if err != nil {
		f.t.Fatal(err)
	}
	return created
}

func (f *fixture) register(statement string) Registered {
	f.t.Helper()
	client, err := f.Register(jsonRequest(map[string]any{"software_statement": statement}))
	if err != nil {
		f.t.Fatal(err)
	}
	return client
}

// access is what the front end knows of a client's call.
func (f *fixture) access(client Registered) keys.AccessClaims {
	f.t.Helper()
	issued, err := f.Token(tokenRequest(client))
	if err != nil {
		f.t.Fatal(err)
	}
	claims, err := f.ring.VerifyAccess([]byte(issued.AccessToken), f.now())
	if err != nil {
		f.t.Fatal(err)
	}
	return claims
}

func (f *fixture) revokeStatement(id string) {
	f.t.Helper()
	if err := f.RevokeStatement(context.Background(), id); err != nil {
		f.t.Fatal(err)
	}
}

func jsonRequest(body any) Request {
	data, _ := json.Marshal(body)
	return Request{ContentType: "application/json;charset=utf-8", Body: data}
}

func formRequest(body string) Request {
	return Request{ContentType: "application/x-www-form-urlencoded", Body: []byte(body)}
}

func tokenRequest(c Registered) Request {
	return formRequest(url.Values{
		"client_id": {c.ClientID}, "client_secret": {c.ClientSecret}, "grant_type": {"client_credentials"},
	}.Encode())
}
