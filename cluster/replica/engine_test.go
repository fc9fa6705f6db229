package replica_test

import (
	"io"
	"log/slog"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"ssod/cluster"
	"ssod/cluster/replica"
	"ssod/cluster/replica/core"
	"ssod/cluster/shardtest"
	"ssod/persistence"
	"ssod/persistence/level"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(dirEnv); dir != "" {
		writeUntilKilled(dir)
	}
	goleak.VerifyTestMain(m)
}

func openStore(t testing.TB, fs vfs.FS, dir string) *persistence.Store {
	t.Helper()
	store, err := persistence.Open(persistence.Options{
		Dir: dir, FS: fs, DefaultNode: "n1", Shards: 8, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	return store
}

// alone opens an engine that is the only voter of every shard.
func alone(t testing.TB, fs vfs.FS, dir string, clock func() time.Time) *replica.Engine {
	t.Helper()
	store := openStore(t, fs, dir)
	t.Cleanup(func() { store.Close() })
	e, err := replica.Alone(t.Context(), replica.Config{
		Node: 1, Shards: 8, Log: store.Log(), State: store, Clock: clock,
		Address: func(core.NodeID) string { return "a:1" }, Level: func() int { return level.Newest }, Registerer: prometheus.NewRegistry(),
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

// TestAFirstStartSyncsLittle: shards are founded, elected and begun together.
// One by one they would cost a sync each, and of a slow disk seconds.
func TestAFirstStartSyncsLittle(t *testing.T) {
	var syncs atomic.Int64
	fs := errorfs.Wrap(vfs.NewMem(), errorfs.InjectorFunc(func(op errorfs.Op) error {
		if op.Kind == errorfs.OpFileSync || op.Kind == errorfs.OpFileSyncData || op.Kind == errorfs.OpFileSyncTo {
			syncs.Add(1)
		}
		return nil
	}))
	const shards = 64
	store, err := persistence.Open(persistence.Options{
		Dir: "data", FS: fs, DefaultNode: "n1", Shards: shards, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	before := syncs.Load()
	e, err := replica.Alone(t.Context(), replica.Config{
		Node: 1, Shards: shards, Log: store.Log(), State: store, Address: func(core.NodeID) string { return "" },
	})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	if n := syncs.Load() - before; n > 10 {
		t.Errorf("%d shards were founded with %d syncs", shards, n)
	}
}

// TestNothingWaitsForATick: elections and commits of a sole voter go on by
// themselves; the only tick is an hour away.
func TestNothingWaitsForATick(t *testing.T) {
	store := openStore(t, vfs.NewMem(), "data")
	defer store.Close()
	e, err := replica.Alone(t.Context(), replica.Config{
		Node: 1, Shards: 8, Log: store.Log(), State: store, Tick: time.Hour, Address: func(core.NodeID) string { return "" },
	})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	var callers sync.WaitGroup
	for caller := range 16 {
		callers.Go(func() {
			shard, _ := e.Lead(shardOf(caller))
			for rev := range uint64(100) {
				if err := shard.Commit(t.Context(), cluster.Commit{Entity: entity(caller), BaseRev: rev}); err != nil {
					t.Errorf("commit %d of caller %d: %v", rev, caller, err)
				}
			}
		})
	}
	callers.Wait()
}

// TestIdleShardsCostLittle: goroutines do not grow with the number of shards.
func TestIdleShardsCostLittle(t *testing.T) {
	before := runtime.NumGoroutine()
	alone(t, vfs.NewMem(), "data", time.Now)
	if n := runtime.NumGoroutine() - before; n > 40 {
		t.Errorf("9 shards run %d goroutines", n)
	}
}
