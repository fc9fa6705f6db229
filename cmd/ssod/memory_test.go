package main

import (
	"runtime"
	"runtime/debug"
	"testing"
	"time"
)

func TestPercentFor(t *testing.T) {
	for live, want := range map[uint64]int{0: 300, 100 << 20: 300, 256 << 20: 200, 512 << 20: 100, 1 << 30: 50, 4 << 30: 40} {
		if got := percentFor(live); got != want {
			t.Errorf("%d MiB alive: %d %%, want %d", live>>20, got, want)
		}
	}
}

// TestTheTargetFollowsTheHeap holds a heap that allows less than the most.
func TestTheTargetFollowsTheHeap(t *testing.T) {
	before := debug.SetGCPercent(mostPercent)
	defer debug.SetGCPercent(before)
	inForce := func() int {
		p := debug.SetGCPercent(mostPercent)
		debug.SetGCPercent(p)
		return p
	}
	followHeap(mostPercent)
	held := make([]byte, headroom) // without pointers, and never touched: it costs nothing
	deadline := time.Now().Add(10 * time.Second)
	for inForce() == mostPercent && time.Now().Before(deadline) {
		runtime.GC()
	}
	if p := inForce(); p > 100 {
		t.Errorf("%d %% with %d MiB alive", p, len(held)>>20)
	}
	runtime.KeepAlive(held)
}
