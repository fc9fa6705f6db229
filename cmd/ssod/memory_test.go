package main

import (
	"runtime"
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

// TestTheTargetFollowsTheHeap holds a heap that allows less than the most, and
// lets go of it.
func TestTheTargetFollowsTheHeap(t *testing.T) {
	t.Setenv("GOGC", "")
	tuneMemory()
	target := func(when string, least, most int) {
		_, percent := heap()
		deadline := time.Now().Add(2 * time.Minute)
		for (percent < least || percent > most) && time.Now().Before(deadline) {
			runtime.GC() // what follows it runs beside
			_, percent = heap()
		}
		if percent < least || percent > most {
			t.Errorf("%s: %d %%, want %d to %d", when, percent, least, most)
		}
	}
	target("small heap", mostPercent, mostPercent)
	held := make([]byte, headroom) // without pointers, and never touched: it costs nothing
	target("large heap", leastPercent, 100)
	runtime.KeepAlive(held)
	target("small again", mostPercent, mostPercent)
}
