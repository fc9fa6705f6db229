package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"text/tabwriter"
	"time"
)

// Report is the outcome of a run, as printed and as written with --json. A
// reader can rely on the names; new ones may come.
type Report struct {
	Schema int `json:"schema"` // 1
	Circumstances

	Connections int     `json:"connections"`
	Realms      int     `json:"realms"`
	Members     int     `json:"members"`
	Rounds      int     `json:"rounds"`
	Slice       float64 `json:"slice_seconds"`
	Rows        []Row   `json:"rows"`
}

// Row is one operation. Rates, CPU times and ratios are medians over the
// rounds, latencies are over all requests: service times, in the row of the
// open loop response times from the intended start. A figure that was not
// measured is null.
type Row struct {
	Operation string `json:"operation"`
	Requests  int    `json:"requests"`
	Rate      figure `json:"requests_per_second"`
	// ServerCPU and ClientCPU are microseconds of processor time per request,
	// user and system. ServerCPU is null when the process is not ours.
	ServerCPU figure `json:"server_cpu_us"`
	ClientCPU figure `json:"client_cpu_us"`
	// Others is the share of the machine's CPU time, in percent, that neither
	// server nor generator got nor left idle: other processes, the network
	// stack's own and, on a virtual machine, other guests. Where it is large or
	// differs from row to row, the figures say little.
	Others figure `json:"others_percent"`
	P50    figure `json:"p50_ms"`
	P99    figure `json:"p99_ms"`
	P999   figure `json:"p999_ms"`
	Max    figure `json:"max_ms"`
	// Ratio is Rate by the rate of the floor named in Floor.
	Floor string `json:"floor,omitempty"`
	Ratio figure `json:"ratio,omitempty"`
	// Mark is the pass mark in words, Passed whether it was reached: false, too,
	// where that was not measured.
	Mark   string `json:"mark,omitempty"`
	Passed bool   `json:"passed"`
	judged figure // what Mark is about
}

// measured is the program that is measured; empty for one that somebody else started.
func (b *bench) measured() string {
	if b.HTTP != "" {
		return ""
	}
	return b.Ssod
}

func (b *bench) report() Report {
	r := Report{
		Schema: 1, Circumstances: circumstances(b.measured()),
		Connections: b.Connections, Realms: b.Realms, Members: b.Members, Rounds: b.Rounds, Slice: b.Slice.Seconds(),
	}
	for _, row := range b.rows {
		if b.wanted(row) {
			r.Rows = append(r.Rows, b.reportRow(row))
		}
	}
	return r
}

func (b *bench) reportRow(r *row) Row {
	latency := r.latency()
	out := Row{
		Operation: r.name, Requests: int(latency.TotalCount()), Rate: r.rate(), Passed: true,
		ServerCPU: median(r.samples, sample.server), ClientCPU: median(r.samples, sample.client),
		Others: median(r.samples, sample.othersPercent),
		P50:    quantile(latency, 50), P99: quantile(latency, 99), P999: quantile(latency, 99.9), Max: quantile(latency, 100),
	}
	if r.floor != "" && len(b.row(r.floor).samples) > 0 {
		out.Floor, out.Ratio = r.floor, r.ratioTo(b.row(r.floor))
	}
	if out.Floor != "" && r.ratio > 0 {
		out.Mark, out.Passed = fmt.Sprintf(">= %.2f x floor", r.ratio), out.Ratio.atLeast(r.ratio)
		out.judged = out.Ratio
	}
	if r.p99 > 0 {
		limit := float64(r.p99) / float64(time.Millisecond)
		out.Mark, out.Passed = fmt.Sprintf("p99 < %.0f ms", limit), float64(out.P99) < limit
		out.judged = out.P99
	}
	if r.slower != "" {
		out.judged = out.P99 / quantile(b.row(r.slower).latency(), 99)
		out.Mark, out.Passed = fmt.Sprintf("p99 < %.0f x %s", r.times, r.slower), float64(out.judged) < r.times
	}
	return out
}

func (r Report) passed() bool {
	for _, row := range r.Rows {
		if !row.Passed {
			return false
		}
	}
	return true
}

func (r Report) print(w io.Writer) {
	fmt.Fprintf(w, "%d connections, %d realms, %d members, %d rounds of %.1f s, %d CPUs shared with the generator, %s\n\n",
		r.Connections, r.Realms, r.Members, r.Rounds, r.Slice, r.CPUs, r.Go)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "operation\trequests/s\tserver us\tclient us\tothers %\tp50 ms\tp99 ms\tmax ms\tx floor\tmark\t")
	for _, row := range r.Rows {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", row.Operation, row.Rate.text("%.0f"),
			row.ServerCPU.text("%.1f"), row.ClientCPU.text("%.1f"), row.Others.text("%.0f"), row.P50.text("%.2f"), row.P99.text("%.2f"),
			row.Max.text("%.1f"), row.share(), row.Mark, verdict(row.Mark, row.judged, row.Passed))
	}
	t.Flush()
}

func (r Row) share() string {
	if r.Floor == "" {
		return ""
	}
	return r.Ratio.text("%.2f")
}

func (r Report) write(file string) error { return writeJSON(file, r) }

func writeJSON(file string, report any) error {
	out, err := json.MarshalIndent(report, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(file, append(out, '\n'), 0o644)
}
