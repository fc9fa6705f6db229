package replica_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"ssod/cluster"
	"ssod/cluster/replica"
)

// BenchmarkCommit measures durable commits of about 300 bytes on a single
// voter, each of its own entity as far as the callers go, on the operating
// system's file system. Package local has the same for a store without a log.
func BenchmarkCommit(b *testing.B) {
	for _, callers := range []int{1, 8, 64, 512} {
		b.Run(fmt.Sprintf("callers=%d", callers), func(b *testing.B) {
			e := alone(b, vfs.Default, b.TempDir(), time.Now)
			benchmarkCommit(b, e, callers)
		})
	}
}

func benchmarkCommit(b *testing.B, e *replica.Engine, callers int) {
	b.SetParallelism(max(1, callers/2))
	b.ReportAllocs()
	var caller atomic.Uint32
	cpu := cpuTime()
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) { commitLoop(b, e, caller.Add(1), pb) })
	b.StopTimer()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "commits/s")
	b.ReportMetric(float64(cpuTime()-cpu)/float64(b.N), "cpu-ns/commit")
}

// commitLoop commits in turn to 1000 entities that no other caller uses.
func commitLoop(b *testing.B, e *replica.Engine, caller uint32, pb *testing.PB) {
	shard, _ := e.Lead(cluster.ShardID(1 + caller%8))
	state := make([]byte, 200)
	revs := make([]uint64, 1000)
	for i := 0; pb.Next(); i++ {
		n := i % len(revs)
		c := cluster.Commit{
			Entity:  cluster.Entity{Kind: "profile", Identity: fmt.Sprintf("realm/sso/viewer-%d-%d", caller, n)},
			BaseRev: revs[n], Schema: 1, State: state,
			Outcomes: []cluster.Outcome{{Request: cluster.RequestID{byte(caller), byte(caller >> 8), byte(i), byte(i >> 8), byte(i >> 16)}, Result: state[:40]}},
		}
		if err := shard.Commit(context.Background(), c); err != nil {
			b.Error(err)
			return
		}
		revs[n]++
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
