package main

import (
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// histogram is one of durations in microseconds that many may use.
type histogram struct {
	mu sync.Mutex
	h  *hdrhistogram.Histogram
}

func newHistogram() *hdrhistogram.Histogram {
	return hdrhistogram.New(1, time.Minute.Microseconds(), 3)
}

func (h *histogram) record(d time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.h == nil {
		h.h = newHistogram()
	}
	_ = h.h.RecordValue(max(1, min(d.Microseconds(), time.Minute.Microseconds())))
}

// restart forgets what was recorded, and returns it.
func (h *histogram) restart() *hdrhistogram.Snapshot {
	h.mu.Lock()
	defer h.mu.Unlock()
	old := h.h
	h.h = newHistogram()
	if old == nil {
		return nil
	}
	return old.Export()
}

// merge is what the snapshots have together.
func merge(snapshots ...*hdrhistogram.Snapshot) *hdrhistogram.Histogram {
	all := newHistogram()
	for _, s := range snapshots {
		if s != nil {
			all.Merge(hdrhistogram.Import(s))
		}
	}
	return all
}
