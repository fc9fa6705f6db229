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
		followHeap(mostPercent)
	}
}

// followHeap sets the target for the heap that is alive if it is another than
// that in force, and again after the next collection.
func followHeap(inForce int) {
	percent := percentFor(liveHeap())
	if percent != inForce {
		debug.SetGCPercent(percent)
	}
	runtime.AddCleanup(&struct{ _ *int }{}, followHeap, percent)
}

// percentFor is the target for a heap of which so many bytes are alive.
func percentFor(live uint64) int {
	return int(min(mostPercent, max(leastPercent, headroom*100/max(live, 1))))
}

// liveHeap is how many bytes the last collection found alive.
func liveHeap() uint64 {
	sample := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}
