package actors_test

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/emptypb"

	"ssod/actors"
	"ssod/cluster/faulty"
)

// BenchmarkAsk asks warm entities of this node a trivial command. It prints
// requests and CPU time per request of the whole process.
func BenchmarkAsk(b *testing.B) {
	for _, callers := range []int{1, 64, 512} {
		b.Run(fmt.Sprintf("callers=%d", callers), func(b *testing.B) {
			r := start(b, faulty.New(faulty.Options{Shards: 64}).Node("a:1"), &probe{})
			askMany(b, r, callers, ping)
		})
	}
}

func askMany(b *testing.B, r *actors.Runtime, callers int, command proto.Message) {
	b.ReportAllocs()
	before := cpu()
	var next atomic.Int64
	var group sync.WaitGroup
	b.ResetTimer()
	for caller := range callers {
		to := address("realm", "sso", fmt.Sprint("viewer-", caller%200))
		group.Go(func() {
			for {
				ctx, cancel := context.WithTimeout(context.Background(), 9*time.Second)
				for range 1000 {
					i := next.Add(1)
					if i > int64(b.N) {
						cancel()
						return
					}
					if _, err := r.Ask(ctx, to, request(int(i)), 0, command); err != nil {
						b.Error(err)
						next.Store(int64(b.N))
					}
				}
				cancel()
			}
		})
	}
	group.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "asks/s")
	b.ReportMetric(float64(cpu()-before)/float64(b.N), "cpu-ns/op")
}

var ping = &emptypb.Empty{}

// cpu is the processor time the process has used, in nanoseconds.
func cpu() int64 {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return u.Utime.Nano() + u.Stime.Nano()
}

// BenchmarkIdleEntity prints what an idle active entity costs beside its state,
// which here is a counter of 64 bytes.
func BenchmarkIdleEntity(b *testing.B) {
	const entities = 100_000
	for range b.N {
		r := start(b, faulty.New(faulty.Options{Shards: 64}).Node("a:1"), &probe{})
		before, goroutines := heap(), runtime.NumGoroutine()
		activate(b, r, entities)
		b.ReportMetric(float64(heap()-before)/entities, "B/entity")
		b.ReportMetric(float64(r.Bytes())/entities, "counted-B/entity")
		b.ReportMetric(float64(max(0, runtime.NumGoroutine()-goroutines)), "goroutines")
		runtime.KeepAlive(r)
		stop(b, r)
	}
}

func activate(b *testing.B, r *actors.Runtime, n int) {
	var next atomic.Int64
	var group sync.WaitGroup
	for range 64 {
		group.Go(func() {
			for i := next.Add(1); i <= int64(n); i = next.Add(1) {
				to := address("realm", "sso", fmt.Sprintf("viewer-%08d", i))
				if _, err := r.Ask(context.Background(), to, request(int(i)), 0, ping); err != nil {
					b.Error(err)
				}
			}
		})
	}
	group.Wait()
}

func heap() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
