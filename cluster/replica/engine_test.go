package replica_test

import (
	"io"
	"log/slog"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"go.uber.org/goleak"

	"ssod/cluster"
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
	log := store.Log()
	if err := replica.Found(log, 1, 8); err != nil {
		t.Fatal(err)
	}
	e, err := replica.Open(replica.Config{
		Node: 1, Shards: 8, Log: log, State: store, Clock: clock,
		Address: func(core.NodeID) string { return "a:1" },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close() })
	waitForLeads(t, e)
	return e
}

// waitForLeads waits until the engine leads all shards.
func waitForLeads(t testing.TB, e *replica.Engine) {
	t.Helper()
	changed := make(chan struct{}, 1)
	stop := e.Watch(func(cluster.ShardID) {
		select {
		case changed <- struct{}{}:
		default:
		}
	})
	defer stop()
	deadline := time.After(10 * time.Second)
	for id := range cluster.ShardID(e.Count() + 1) {
		for _, ok := e.Lead(id); !ok; _, ok = e.Lead(id) {
			select {
			case <-changed:
			case <-deadline:
				t.Fatalf("shard %d has no leader", id)
			}
		}
	}
}

func TestConformance(t *testing.T) {
	shardtest.Run(t, shardtest.Implementation{
		Open: func(t *testing.T, clock func() time.Time) cluster.Shards {
			return alone(t, vfs.NewMem(), "data", clock)
		},
		Lose: func(s cluster.Shards) { s.(io.Closer).Close() },
	})
}
