package main

import (
	"log/slog"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestPercentFor(t *testing.T) {
	small := &tuner{memory: 512 << 20}
	for live, want := range map[int64]int{0: 300, 100 << 20: 300, 256 << 20: 200, 512 << 20: 100, 1 << 30: 50, 4 << 30: 40} {
		if got := small.percentFor(live); got != want {
			t.Errorf("%d MiB alive: %d %%, want %d", live>>20, got, want)
		}
	}
}

// TestLimitFor: what is alive leaves room for garbage, whatever was promised.
func TestLimitFor(t *testing.T) {
	const machine = 16 << 30
	small, large := &tuner{memory: 512 << 20, most: machine}, &tuner{memory: 8 << 30, most: machine}
	for h, want := range map[heap]int64{{}: 448, {live: 400, scanned: 40}: 448, {live: 300, scanned: 300}: 464, {live: 1000, scanned: 1000}: 1440} {
		if got := small.limitFor(heap{h.live << 20, h.scanned << 20, 0}); got != want<<20 {
			t.Errorf("%d MiB alive, %d with pointers: %d MiB, want %d", h.live, h.scanned, got>>20, want)
		}
	}
	if got := large.limitFor(heap{live: 4 << 30, scanned: 4 << 30}); got != 7<<30 {
		t.Errorf("4 GiB of 8 alive: %d MiB, want 7 GiB", got>>20)
	}
	if got := large.limitFor(heap{live: 15 << 30, scanned: 1 << 30}); got != 14<<30 {
		t.Errorf("15 GiB alive on a machine of 16: %d MiB, want 14 GiB", got>>20)
	}
}

// readable is a log that may be read while it is written.
type readable struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *readable) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *readable) says(what string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.text.String(), what)
}

// TestTheTargetFollowsTheHeap holds a heap that allows less than the most, and
// lets go of it.
func TestTheTargetFollowsTheHeap(t *testing.T) {
	t.Setenv("GOGC", "")
	t.Setenv("GOMEMLIMIT", "")
	var said readable
	const promised = defaultMemory / 8 * 7
	tuneMemory(defaultMemory, slog.New(slog.NewTextHandler(&said, nil)))
	target := func(when string, fits func(percent int, limit int64) bool) {
		t.Helper()
		for deadline := time.Now().Add(2 * time.Minute); ; runtime.GC() { // what follows it runs beside
			percent := readHeap().percent
			limit := debug.SetMemoryLimit(-1)
			if fits(percent, limit) {
				return
			}
			if time.Now().After(deadline) {
				t.Fatalf("%s: %d %%, limit %d MiB", when, percent, limit>>20)
			}
		}
	}
	small := func(percent int, limit int64) bool { return percent == mostPercent && limit == promised }
	target("small heap", small)
	held := make([]byte, defaultMemory) // without pointers, and never touched: it costs nothing
	target("large heap", func(percent int, limit int64) bool {
		return percent >= leastPercent && percent <= 100 && limit > defaultMemory
	})
	runtime.KeepAlive(held)
	target("small again", small)
	if n := said.says("more memory than --memory"); n != 1 {
		t.Errorf("the log says it %d times, want once", n)
	}
}
