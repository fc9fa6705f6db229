package main

import (
	"log/slog"
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
)

const (
	// defaultMemory is enough for a node with a small state.
	defaultMemory = 512 << 20
	// leastMemory is what one takes that is asked for nothing.
	leastMemory = 128 << 20
	// mostPercent trades memory for CPU while the heap is small: each collection marks
	// all of it.
	mostPercent = 300
	// leastPercent bounds the cost of collecting a large heap.
	leastPercent = 40
	// step is how exactly the limit follows what is alive.
	step = 16 << 20
)

// tuner sets how much memory the process may take, now and after each collection.
type tuner struct {
	memory         int64 // that the process is to take
	most           int64 // that there is
	percent, limit bool  // are not the operator's, by GOGC and GOMEMLIMIT
	log            *slog.Logger
	exceeded       bool // and the log says so
}

func tuneMemory(promised int64, log *slog.Logger) {
	t := &tuner{memory: promised, most: memory(), percent: os.Getenv("GOGC") == "", limit: os.Getenv("GOMEMLIMIT") == "", log: log}
	followHeap(t)
}

// followHeap adjusts the collector to the live heap, and again after the next collection.
func followHeap(t *tuner) {
	h := readHeap()
	if percent := t.percentFor(h.live); t.percent && percent != h.percent {
		debug.SetGCPercent(percent)
	}
	if limit := t.limitFor(h); t.limit && limit != debug.SetMemoryLimit(-1) {
		debug.SetMemoryLimit(limit)
		if limit > t.promised() && !t.exceeded {
			t.exceeded = true
			t.log.Warn("the node needs more memory than --memory", "alive_mib", h.live>>20, "memory_mib", t.memory>>20)
		}
	}
	runtime.AddCleanup(&struct{ _ *int }{}, followHeap, t)
}

// percentFor is the target for a live heap: garbage may fill --memory, as long as
// leastPercent allows it.
func (t *tuner) percentFor(live int64) int {
	return int(min(mostPercent, max(leastPercent, t.memory*100/max(live, 1))))
}

// limitFor is how much memory Go may take. It exceeds --memory for a large live heap, as
// long as there is memory: close to the limit the process would do nothing but collect.
// The cost of a collection is to scan what holds pointers.
func (t *tuner) limitFor(h heap) int64 {
	needed := h.live + h.scanned*leastPercent/100 + t.memory/16
	return max(t.promised(), min((needed+step-1)/step*step, t.most/8*7))
}

// promised is Go's part of --memory; the rest is for the program's text and memory that Go
// does not count.
func (t *tuner) promised() int64 { return t.memory / 8 * 7 }

// heap is the result of the last collection: live bytes, those that it scanned, and the
// target in force.
type heap struct {
	live, scanned int64
	percent       int
}

func readHeap() heap {
	samples := []metrics.Sample{{Name: "/gc/heap/live:bytes"}, {Name: "/gc/scan/heap:bytes"}, {Name: "/gc/gogc:percent"}}
	metrics.Read(samples)
	return heap{int64(samples[0].Value.Uint64()), int64(samples[1].Value.Uint64()), int(samples[2].Value.Uint64())}
}
