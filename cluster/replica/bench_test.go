package replica_test

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"syscall"
	"testing"
	"time"

	"ssod/cluster"
	"ssod/cluster/replica"
	"ssod/cluster/replica/core"
	"ssod/persistence"
)

// BenchmarkCommit measures durable commits of about 300 bytes, each of its own
// entity as far as the callers go, on the operating system's file system, on an
// engine that is the only voter of 64 shards.
func BenchmarkCommit(b *testing.B) {
	for _, callers := range []int{1, 8, 64, 512} {
		b.Run(fmt.Sprintf("callers=%d", callers), func(b *testing.B) { benchmarkCommit(b, callers) })
	}
}

const benchShards = 64

func benchmarkCommit(b *testing.B, callers int) {
	shards := openBench(b)
	b.ReportAllocs()
	cpu := cpuTime()
	b.ResetTimer()
	var running sync.WaitGroup
	for caller := range callers {
		running.Go(func() { commitLoop(b, shards, caller, (b.N+callers-1-caller)/callers) })
	}
	running.Wait()
	b.StopTimer()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "commits/s")
	b.ReportMetric(float64(cpuTime()-cpu)/float64(b.N), "cpu-ns/commit")
}

func openBench(b *testing.B) cluster.Shards {
	store, err := persistence.Open(persistence.Options{
		Dir: b.TempDir(), DefaultNode: "n1", Shards: benchShards, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { store.Close() })
	e, err := replica.Alone(b.Context(), replica.Config{
		Node: 1, Shards: benchShards, Log: store.Log(), State: store, Address: func(core.NodeID) string { return "" },
	})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { e.Close() })
	return e
}

// commitLoop commits n times, in turn to 1000 entities that no other caller
// uses.
func commitLoop(b *testing.B, shards cluster.Shards, caller, n int) {
	shard, _ := shards.Lead(cluster.ShardID(1 + caller%benchShards))
	state := make([]byte, 200)
	revs := make([]uint64, 1000)
	for i := range n {
		k := i % len(revs)
		c := cluster.Commit{
			Entity:  cluster.Entity{Kind: "profile", Identity: fmt.Sprintf("realm/sso/viewer-%d-%d", caller, k)},
			BaseRev: revs[k], Schema: 1, State: state,
			Outcomes: []cluster.Outcome{{Request: cluster.RequestID{byte(caller), byte(caller >> 8), byte(i), byte(i >> 8), byte(i >> 16)}, Result: state[:40]}},
		}
		if err := shard.Commit(context.Background(), c); err != nil {
			b.Error(err)
			return
		}
		revs[k]++
	}
}

// cpuTime is the CPU time that the process has used.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
