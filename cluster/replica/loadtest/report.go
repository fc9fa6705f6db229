package main

import (
	"fmt"
	"io"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"ssod/bench/process"
)

// measured is a phase at all nodes.
type measured struct {
	order
	nodes []result
}

// write prints what a phase showed.
func (m *measured) write(w io.Writer) {
	var cpu time.Duration
	var failed, elections, syncs, goroutines, memory int64
	var commits, reads []*hdrhistogram.Snapshot
	for _, r := range m.nodes {
		cpu += r.CPU
		failed, elections, syncs = failed+r.Failed, elections+r.Elections, syncs+r.Syncs
		goroutines, memory = max(goroutines, int64(r.Goroutines)), max(memory, r.Resident)
		commits, reads = append(commits, r.Commits), append(reads, r.Reads)
	}
	seconds := m.For.Seconds()
	fmt.Fprintf(w, "%s: %v, %.2f cores, at most %d goroutines and %d MiB per node, %.0f fsyncs/s, %d changes of leaders seen, %d failed\n",
		m.Phase, m.For, cpu.Seconds()/seconds, goroutines, memory>>20, float64(syncs)/seconds, elections, failed)
	line(w, "commits", merge(commits...), m.For, cpu)
	line(w, "reads", merge(reads...), m.For, cpu)
	if m.Phase == slowPhase {
		for i, r := range m.nodes {
			line(w, fmt.Sprintf("commits led by n%d", i+1), merge(r.Commits), m.For, 0)
			line(w, fmt.Sprintf("reads led by n%d", i+1), merge(r.Reads), m.For, 0)
		}
	}
	counted := newTally()
	counted.add(m.order, m.nodes, process.Usage{})
	counted.writeCounts(w)
}

// line prints one kind of call, if there was any.
func line(w io.Writer, what string, h *hdrhistogram.Histogram, took, cpu time.Duration) {
	n := h.TotalCount()
	if n == 0 {
		return
	}
	at := func(q float64) float64 { return float64(h.ValueAtQuantile(q)) / 1000 }
	fmt.Fprintf(w, "  %-20s %8.0f/s  p50 %7.2f ms  p99 %7.2f ms  max %7.2f ms", what, float64(n)/took.Seconds(), at(50), at(99), at(100))
	if cpu > 0 {
		fmt.Fprintf(w, "  %5.1f us CPU each", float64(cpu.Microseconds())/float64(n))
	}
	fmt.Fprintln(w)
}
