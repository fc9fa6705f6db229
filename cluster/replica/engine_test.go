package replica_test

import (
	"io"
	"log/slog"
	"runtime"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"ssod/cluster"
	"ssod/cluster/local"
	"ssod/cluster/replica"
	"ssod/cluster/replica/core"
	"ssod/cluster/shardtest"
	"ssod/persistence"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// alone opens an engine that is the only voter of every shard.
func alone(t testing.TB, fs vfs.FS, dir string, clock func() time.Time) *replica.Engine {
	t.Helper()
	store, err := persistence.Open(persistence.Options{
		Dir: dir, FS: fs, DefaultNode: "n1", Shards: 8, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	e, err := replica.Alone(t.Context(), replica.Config{
		Node: 1, Shards: 8, Log: store.Log(), State: store, Clock: clock,
		Address: func(core.NodeID) string { return "a:1" }, Registerer: prometheus.NewRegistry(),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close() })
	return e
}

func TestConformance(t *testing.T) {
	shardtest.Run(t, shardtest.Implementation{
		Open: func(t *testing.T, clock func() time.Time) cluster.Shards {
			return alone(t, vfs.NewMem(), "data", clock)
		},
		Lose: func(s cluster.Shards) { s.(io.Closer).Close() },
	})
}

// TestANodeWithoutALogIsTakenOver: what was kept without a log is the state
// that the log begins with.
func TestANodeWithoutALogIsTakenOver(t *testing.T) {
	fs := vfs.NewMem()
	store, err := persistence.Open(persistence.Options{Dir: "data", FS: fs, DefaultNode: "n1", Shards: 8, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	before, err := local.Open(local.Config{Store: store})
	if err != nil {
		t.Fatal(err)
	}
	shard, _ := before.Lead(1)
	if err := shard.Commit(t.Context(), cluster.Commit{Entity: entity(1), State: []byte("kept")}); err != nil {
		t.Fatal(err)
	}
	past := shard.Now()
	before.Close()
	store.Close()
	yesterday := func() time.Time { return past.Add(-24 * time.Hour) }
	shard, _ = alone(t, fs, "data", yesterday).Lead(1)
	if h, ok, err := shard.Head(entity(1)); !ok || err != nil || string(h.State) != "kept" {
		t.Errorf("got %v %v %v", h, ok, err)
	}
	if err := shard.Commit(t.Context(), cluster.Commit{Entity: entity(1), BaseRev: 1}); err != nil {
		t.Error(err)
	}
	if now := shard.Now(); now.Before(past.Truncate(time.Millisecond).Add(-time.Second)) {
		t.Errorf("the shard's time went back to %v", now)
	}
}

// TestIdleShardsCostLittle: goroutines do not grow with the number of shards.
func TestIdleShardsCostLittle(t *testing.T) {
	before := runtime.NumGoroutine()
	alone(t, vfs.NewMem(), "data", time.Now)
	if n := runtime.NumGoroutine() - before; n > 40 {
		t.Errorf("9 shards run %d goroutines", n)
	}
}
