package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"runtime"
	"runtime/pprof"
	"strconv"
	"sync"
	"syscall"
	"time"

	"ssod/cluster"
)

// measure runs one phase.
func (n *node) measure(o order) (result, error) {
	ctx, stop := context.WithCancel(context.Background())
	var workers sync.WaitGroup
	n.orders++
	for i, s := range n.callers(o.Proposers) {
		workers.Go(func() { n.propose(ctx, s, i, &o) })
	}
	for _, s := range n.callers(o.Readers) {
		workers.Go(func() { n.read(ctx, s, o.Pause) })
	}
	defer workers.Wait()
	defer stop()
	time.Sleep(o.Warm)
	begin, err := n.begin(o.Phase)
	if err != nil {
		return result{}, err
	}
	time.Sleep(o.For)
	return begin(), nil
}

// callers gives each caller of the cluster a shard, in turn, and returns the
// ones whose shard this node leads, by number.
func (n *node) callers(count int) map[int]cluster.ShardID {
	mine := make(map[int]cluster.ShardID)
	for i := range count {
		if s := cluster.ShardID(1 + i%n.Shards); home(s) == n.Node {
			mine[i] = s
		}
	}
	return mine
}

// begin starts to measure; what it returns ends it.
func (n *node) begin(phase string) (end func() result, err error) {
	stopProfile, err := n.profile(phase)
	if err != nil {
		return nil, err
	}
	n.commits.restart()
	n.reads.restart()
	n.failed.Store(0)
	n.founded.Store(0)
	counts := n.counts()
	elections, syncs, cpu := n.elections.Load(), n.fs.syncs.Load(), cpuTime()
	return func() result {
		r := result{
			Commits: n.commits.restart(), Reads: n.reads.restart(), Failed: n.failed.Load(), Founded: n.founded.Load(),
			Elections: n.elections.Load() - elections, Syncs: n.fs.syncs.Load() - syncs, CPU: cpuTime() - cpu,
			Goroutines: runtime.NumGoroutine(), Resident: resident(), Counts: since(counts, n.counts()),
		}
		stopProfile()
		return r
	}, nil
}

// profile writes a CPU profile of a phase if that is wanted.
func (n *node) profile(phase string) (stop func(), err error) {
	if n.Profile == "" {
		return func() {}, nil
	}
	f, err := os.Create(filepath.Join(n.Profile, phase+"-"+nodeName(n.Node)+".pprof"))
	if err != nil {
		return nil, err
	}
	if err := pprof.StartCPUProfile(f); err != nil {
		f.Close()
		return nil, err
	}
	return func() { pprof.StopCPUProfile(); f.Close() }, nil
}

// cpuTime is the CPU time that the process has used.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// resident is the memory of the process; 0 where the system does not say.
func resident() int64 {
	b, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0
	}
	fields := bytes.Fields(b)
	if len(fields) < 2 {
		return 0
	}
	pages, _ := strconv.ParseInt(string(fields[1]), 10, 64)
	return pages * int64(os.Getpagesize())
}
