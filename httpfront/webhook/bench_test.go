package webhook

import (
	"encoding/binary"
	"flag"
	"log/slog"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"ssod/cluster"
	"ssod/cluster/replica"
	"ssod/cluster/replica/core"
	"ssod/persistence"
	"ssod/persistence/level"
)

var backlog = flag.Int("backlog", 20_000, "events that wait in BenchmarkTurn")

// BenchmarkTurn measures the turns of a dispatcher whose node has just begun to lead shards in
// which many events wait for a receiver that is down: until all are counted, and then.
func BenchmarkTurn(b *testing.B) {
	for b.Loop() {
		w := newStill(b)
		w.lanes = map[cluster.ShardID]*lane{}
		receiver := w.receive("http://127.0.0.1:1/")[0]
		w.options.Shards = postedShards(b, receiver, *backlog)
		longest, turns := time.Duration(0), 0
		for waiting := 0; waiting < *backlog; turns++ {
			longest = max(longest, w.timed(b))
			waiting = 0
			for _, l := range w.lanes {
				for _, s := range l.streams {
					waiting += s.count
				}
			}
		}
		b.ReportMetric(float64(longest.Microseconds())/1000, "ms/longest-turn")
		b.ReportMetric(float64(turns), "turns")
		const then = 100
		all := time.Duration(0)
		for range then {
			all += w.timed(b)
		}
		b.ReportMetric(float64(all.Microseconds())/1000/then, "ms/later-turn")
		w.stop()
		w.done.Wait()
	}
}

// timed takes one turn, behind the ends of deliveries.
func (w *still) timed(b *testing.B) time.Duration {
	for done := false; !done; {
		select {
		case f := <-w.results:
			f()
		default:
			done = true
		}
	}
	start := time.Now()
	w.turn(start)
	return time.Since(start)
}

// postedShards are those of a node with a real store, in which events of a usual size wait.
func postedShards(b *testing.B, receiver uint64, n int) cluster.Shards {
	const shards, each = 64, 500
	store, err := persistence.Open(persistence.Options{Dir: b.TempDir(), DefaultNode: "n1", Shards: shards, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { store.Close() })
	e, err := replica.Alone(b.Context(), replica.Config{
		Node: 1, Shards: shards, Log: store.Log(), State: store, Address: func(core.NodeID) string { return "" },
		Level: func() int { return level.Newest }, Registerer: prometheus.NewRegistry(),
	})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { e.Close() })
	for at := 0; at < n; at += each {
		shard, _ := e.Lead(cluster.ShardID(at/each%shards + 1))
		var c cluster.Commit
		for i := range min(each, n-at) {
			l := letter{Created: time.Now(), JSON: make([]byte, 300)}
			binary.BigEndian.PutUint64(l.ID[:], uint64(at+i))
			c.Events = append(c.Events, cluster.Event{Receiver: receiver, Body: l.encode()})
		}
		if err := shard.Commit(b.Context(), c); err != nil {
			b.Fatal(err)
		}
	}
	return e
}
