package replica_test

import (
	"fmt"
	"log/slog"
	"os"
	"sync"
	"testing"
	"time"

	"ssod/cluster"
	"ssod/cluster/replica"
	"ssod/cluster/replica/core"
	"ssod/persistence"
)

// unflushed is a log whose entries are in no state until the store is closed.
type unflushed struct{ *persistence.Log }

func (unflushed) FlushDue() <-chan struct{}   { return nil }
func (unflushed) Flush(...core.ShardID) error { return nil }
func (unflushed) Flushed(core.ShardID) uint64 { return 0 }

// TestAReplayIsBounded: what was acknowledged and never flushed is applied again from
// the logs of all shards. SSOD_LONG replays 64 MiB and says how long it took from opening
// the store until the node leads every shard: about a second of CPU, and at most two on
// a machine that does other things.
func TestAReplayIsBounded(t *testing.T) {
	size, long := 1<<20, os.Getenv("SSOD_LONG") != ""
	if long {
		size = 64 << 20
	}
	dir, killed := t.TempDir(), t.TempDir()
	entities := writeUnflushed(t, dir, size)
	// What is acknowledged is synced, and one memtable holds it: this is what a kill
	// leaves. (Closing the store flushes.)
	if err := os.CopyFS(killed, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	began, cpu := time.Now(), cpuTime()
	store, e := openUnflushed(t, killed)
	took, cpu, replay := time.Since(began), cpuTime()-cpu, e.Replay()
	t.Logf("%d commits in %d entries, %.1f MiB: replayed in %v, %v of CPU", changes*entities, replay.Entries,
		float64(replay.Bytes)/(1<<20), took.Round(time.Millisecond), cpu.Round(time.Millisecond))
	if replay.Bytes < size || replay.Entries < benchShards {
		t.Errorf("replayed %+v, want %d bytes", replay, size)
	}
	if n := countEntities(t, store); n != entities {
		t.Errorf("%d entities, want %d", n, entities)
	}
	if long && cpu > 2*time.Second {
		t.Errorf("it took %v of CPU", cpu)
	}
}

// openUnflushed opens a store and leads all of its shards.
func openUnflushed(t *testing.T, dir string) (*persistence.Store, *replica.Engine) {
	t.Helper()
	store, err := persistence.Open(persistence.Options{
		Dir: dir, DefaultNode: "n1", Shards: benchShards, MemTableBytes: 192 << 20, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	e, err := replica.Alone(t.Context(), replica.Config{
		Node: 1, Shards: benchShards, Log: unflushed{store.Log()}, State: store, Address: func(core.NodeID) string { return "" },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close() })
	return store, e
}

// changes is how often each entity is written.
const changes = 4

// writeUnflushed writes entities of 400 bytes, each change with an outcome, until
// their entries have a size, and returns how many entities.
func writeUnflushed(t *testing.T, dir string, size int) (entities int) {
	t.Helper()
	_, e := openUnflushed(t, dir)
	state := make([]byte, 400)
	perShard := size/benchShards/(len(state)+90)/changes + 1
	var group sync.WaitGroup
	for s := range benchShards {
		shard, _ := e.Lead(cluster.ShardID(1 + s))
		const callers = 8
		for caller := range callers {
			group.Go(func() {
				for i := caller; i < perShard; i += callers {
					for rev := range uint64(changes) {
						if err := shard.Commit(t.Context(), changed(i, rev, state)); err != nil {
							t.Error(err)
							return
						}
					}
				}
			})
		}
	}
	group.Wait()
	return perShard * benchShards
}

func changed(i int, rev uint64, state []byte) cluster.Commit {
	return cluster.Commit{
		Entity:  cluster.Entity{Kind: "profile", Identity: fmt.Sprintf("realm/sso/viewer-%d", i)},
		BaseRev: rev, Schema: 1, State: state,
		Outcomes: []cluster.Outcome{{Request: cluster.RequestID{byte(i), byte(i >> 8), byte(rev)}, Result: state[:40]}},
	}
}

func countEntities(t *testing.T, store *persistence.Store) (n int) {
	t.Helper()
	for s := range benchShards {
		err := store.Entities(core.ShardID(1+s), "profile", "", func(string, cluster.Head) bool {
			n++
			return true
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return n
}
