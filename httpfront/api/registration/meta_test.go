package registration

import (
	"errors"
	"testing"

	"ssod/cluster/meta"
	"ssod/cluster/replica"
	"ssod/httpfront/config"
	"ssod/httpfront/token/keys"
	"ssod/httpfront/token/keys/sealing"
	"ssod/persistence"
)

// node is the service on the tables of a real node.
type node struct {
	*Service
	ring  *keys.Ring
	close func()
}

func start(t *testing.T, dir string, cfg *config.Config) *node {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	store, err := persistence.Open(persistence.Options{Dir: dir, DefaultNode: "n1", Shards: 1, Reserve: 1, Ballast: 1})
	must(err)
	shards, err := replica.Alone(t.Context(), replica.Config{
		Node: 1, Shards: 1, Log: store.Log(), State: store, Address: func(persistence.NodeID) string { return "" },
	})
	must(err)
	tables, err := meta.Open(t.Context(), shards)
	must(err)
	settings := func() *config.Config { return cfg }
	ring, err := keys.Open(t.Context(), keys.Options{Store: tables, Sealing: sealing.Options{Key: make([]byte, sealing.KeySize)}, Settings: settings})
	must(err)
	s, err := Open(Options{Store: tables, Keys: ring, Settings: settings})
	must(err)
	return &node{Service: s, ring: ring, close: func() {
		t.Helper()
		s.Close()
		ring.Close()
		must(shards.Close())
		must(store.Close())
	}}
}

// Everything that was answered is there after a restart: keys, statements,
// credentials, and above all revocations.
func TestRestart(t *testing.T) {
	f := newFixture(t)
	dir := t.TempDir()
	n := start(t, dir, f.cfg)
	var clients []Registered
	for range 3 {
		created, err := n.CreateStatement(t.Context(), StatementRequest{ServiceProviders: []string{"acme-tv"}})
		if err != nil {
			t.Fatal(err)
		}
		client, err := n.Register(jsonRequest(map[string]any{"software_statement": created.SoftwareStatement}))
		if err != nil {
			t.Fatal(err)
		}
		clients = append(clients, client)
	}
	issued, err := n.Token(tokenRequest(clients[0]))
	if err != nil {
		t.Fatal(err)
	}
	id, _ := parseClientID(clients[1].ClientID)
	if err := n.RevokeStatement(t.Context(), id.statement); err != nil {
		t.Fatal(err)
	}
	if err := n.RevokeClient(t.Context(), clients[2].ClientID); err != nil {
		t.Fatal(err)
	}
	if _, err := n.ring.Rotate(t.Context(), keys.Rotation{}); err != nil {
		t.Fatal(err)
	}
	n.close()

	n = start(t, dir, f.cfg)
	defer n.close()
	for i, want := range []error{nil, ErrInvalidClient, ErrInvalidClient} {
		if _, err := n.Token(tokenRequest(clients[i])); !errors.Is(err, want) {
			t.Errorf("client %d: got %v, want %v", i, err, want)
		}
	}
	access, err := n.ring.VerifyAccess([]byte(issued.AccessToken), n.now())
	if err != nil {
		t.Fatalf("access token from before: %v", err)
	}
	if s, err := n.Judge(access); err != nil || !s.Covers("acme-tv") {
		t.Errorf("its client: %v, %v", s, err)
	}
}
