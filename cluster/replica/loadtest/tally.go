package main

import (
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"ssod/bench/process"
)

// tally is what slices of one side showed together.
type tally struct {
	took    time.Duration
	calls   int64 // commits or barriers
	failed  int64
	founded int64
	cpu     time.Duration
	used    process.Usage // as seen from outside, also of builds that count less
	latency *hdrhistogram.Histogram
	counts  map[string]int64
}

func newTally() tally { return tally{latency: newHistogram(), counts: make(map[string]int64)} }

// add adds a slice.
func (t *tally) add(o order, nodes []result, used process.Usage) {
	for _, r := range nodes {
		t.latency.Merge(merge(r.Commits, r.Reads))
		t.failed, t.founded, t.cpu = t.failed+r.Failed, t.founded+r.Founded, t.cpu+r.CPU
		t.count(r.Counts)
		t.counts["fsyncs"] += r.Syncs
	}
	t.calls, t.took, t.used = t.latency.TotalCount(), t.took+o.For, t.used.Plus(used)
}

// merge adds what another tally has.
func (t *tally) merge(o *tally) {
	t.latency.Merge(o.latency)
	t.count(o.counts)
	t.failed, t.founded, t.cpu = t.failed+o.failed, t.founded+o.founded, t.cpu+o.cpu
	t.calls, t.took, t.used = t.calls+o.calls, t.took+o.took, t.used.Plus(o.used)
}

func (t *tally) count(more map[string]int64) {
	for name, n := range more {
		t.counts[name] += n
	}
}

// each is a sum by the calls.
func (t *tally) each(sum float64) float64 { return sum / float64(max(t.calls, 1)) }

// writeTallies prints two sides, what is counted per call.
func writeTallies(out io.Writer, this, other *tally) {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	defer w.Flush()
	line := func(name, format string, value func(t *tally) float64) {
		fmt.Fprintf(w, "  %s\t"+format+"\t"+format+"\t\n", name, value(this), value(other))
	}
	fmt.Fprintln(w, "  over all slices\tthis build\tthe other\t")
	line("calls/s", "%.0f", func(t *tally) float64 { return float64(t.calls) / max(t.took.Seconds(), 1e-9) })
	line("p50 ms", "%.2f", func(t *tally) float64 { return float64(t.latency.ValueAtQuantile(50)) / 1000 })
	line("p99 ms", "%.2f", func(t *tally) float64 { return float64(t.latency.ValueAtQuantile(99)) / 1000 })
	line("failed", "%.0f", func(t *tally) float64 { return float64(t.failed) })
	line("CPU us each", "%.1f", func(t *tally) float64 { return t.each(float64(t.cpu.Nanoseconds()) / 1000) })
	line("waits of threads each", "%.3f", func(t *tally) float64 { return t.each(float64(t.used.Switches)) })
	line("read and write calls each", "%.3f", func(t *tally) float64 { return t.each(float64(t.used.Calls)) })
	for _, name := range slices.Concat([]string{"fsyncs"}, counters) {
		if _, ok := this.counts[name]; ok {
			fmt.Fprintf(w, "  %s each\t%s\t%s\t\n", name, this.perCall(name), other.perCall(name))
		}
	}
}

// perCall is a count by the calls; a dash where an older build does not count.
func (t *tally) perCall(name string) string {
	n, ok := t.counts[name]
	if !ok {
		return "-"
	}
	return fmt.Sprintf("%.3f", t.each(float64(n)))
}

// writeCounts prints what a phase counted, per commit or barrier.
func (t *tally) writeCounts(out io.Writer) {
	if t.calls == 0 {
		return
	}
	fmt.Fprint(out, "  each:")
	for _, name := range slices.Concat([]string{"fsyncs"}, counters) {
		if n, ok := t.counts[name]; ok && n > 0 {
			fmt.Fprintf(out, " %s %.3f", name, t.each(float64(n)))
		}
	}
	fmt.Fprintln(out)
}
