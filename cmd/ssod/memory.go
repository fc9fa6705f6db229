package main

import (
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
)

const (
	// mostPercent trades memory for CPU while the heap is small: each collection
	// marks the whole of it again.
	mostPercent = 300
	// leastPercent bounds what collections of a large heap cost.
	leastPercent = 40
	// headroom is how many bytes of garbage may gather at most, as long as
	// leastPercent allows it.
	headroom = 512 << 20
)

// tuneMemory sets the collector's target, now and after each collection, unless
// the operator did. GOMEMLIMIT is obeyed either way.
func tuneMemory() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(mostPercent)
		followHeap(struct{}{})
	}
}

// followHeap sets the target for the heap that is alive if it is another than
// that in force, and again after the next collection.
func followHeap(struct{}) {
	live, inForce := heap()
	if percent := percentFor(live); percent != inForce {
		debug.SetGCPercent(percent)
	}
	runtime.AddCleanup(&struct{ _ *int }{}, followHeap, struct{}{})
}

// percentFor is the target for a heap of which so many bytes are alive.
func percentFor(live uint64) int {
	return int(min(mostPercent, max(leastPercent, headroom*100/max(live, 1))))
}

// heap is how many bytes the last collection found alive, and the target in force.
func heap() (live uint64, percent int) {
	samples := []metrics.Sample{{Name: "/gc/heap/live:bytes"}, {Name: "/gc/gogc:percent"}}
	metrics.Read(samples)
	return samples[0].Value.Uint64(), int(samples[1].Value.Uint64())
}
