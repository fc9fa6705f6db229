package e2e

import (
	"errors"
	"log/slog"
	"net/http"
	"testing"

	"github.com/golang-jwt/jwt/v5"

	"ssod/cluster/meta"
	"ssod/cluster/placement"
	"ssod/cluster/replica"
	"ssod/cluster/replica/core"
	"ssod/persistence"
	"ssod/persistence/level"
)

// foundAtFirst makes the data directory of a node whose cluster was founded by the first
// version: it is at the first format level.
func foundAtFirst(n *node) {
	n.Helper()
	store, err := persistence.Open(persistence.Options{Dir: n.Data(), DefaultNode: "n1", Shards: 16, Reserve: 1, Ballast: 1, Logger: slog.New(slog.DiscardHandler)})
	must(n, err)
	engine, err := replica.Alone(n.Context(), replica.Config{
		Node: 1, Shards: 16, Log: store.Log(), State: store, Address: func(core.NodeID) string { return "" },
	})
	must(n, err)
	tables, err := meta.Open(n.Context(), engine)
	must(n, err)
	s := placement.DefaultSettings()
	if s.Level != level.First {
		n.Fatalf("founded at level %d", s.Level)
	}
	must(n, placement.FoundSettings(n.Context(), tables, s))
	must(n, errors.Join(engine.Close(), store.Close()))
}

// TestAnOlderClusterIsRaised: below format level 2 a provider that posts its answers is
// refused with a reason before the viewer logs in, and its logouts are to be sent again;
// after the level was raised all of that works, on the same node.
func TestAnOlderClusterIsRaised(t *testing.T) {
	t.Parallel()
	i := startIssuer(t)
	n := newNode(t, i.config(t), "--node", "n1", "--shards", "16")
	foundAtFirst(n)
	n.Start()
	_, credentials := registerOpenIDApp(t, n)
	phone := newPostedLogin(n, i, credentials, "phone", "viewer-1", "s1")
	must(t, phone.begin(t.Context()))
	const refused = "https://app.example/in?error=temporarily_unavailable"
	if status, to, err := phone.visit(t.Context(), http.MethodGet, "/api/v2/authenticate/tv/"+phone.code, nil); to != refused || err != nil {
		t.Errorf("at level 1 a login ends with %d at %q, %v", status, to, err)
	}
	if !has(n.Logged(), "the format level of the cluster is too low: it is 1, and entities of kind answer need 2") {
		t.Error("the log does not say why")
	}
	claims := jwt.MapClaims{"sub": "viewer-1"}
	if err := phone.end(t.Context(), claims); err == nil || !has(err.Error(), "400", "temporarily_unavailable", "format level") {
		t.Errorf("at level 1 a logout is answered: %v", err)
	}
	if said, err := n.Ctl("cluster", "set", "level=2"); err != nil {
		t.Fatalf("%v: %s", err, said)
	}
	nextSecond()
	must(t, phone.logIn(t.Context()))
	n.Kill()
	n.Start()
	must(t, phone.finds(true)(t.Context()))
	phone.token = ""
	must(t, phone.end(t.Context(), claims))
	must(t, phone.finds(false)(t.Context()))
}
