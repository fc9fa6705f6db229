package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"runtime"
	"text/tabwriter"
	"time"
)

// Report is the outcome of a run, as printed and as written with --json. A
// reader can rely on the names; new ones may come.
type Report struct {
	Schema      int       `json:"schema"` // 1
	Time        time.Time `json:"time"`
	Go          string    `json:"go"`
	CPUs        int       `json:"cpus"` // shared by server and generator
	Connections int       `json:"connections"`
	Realms      int       `json:"realms"`
	Members     int       `json:"members"`
	Rounds      int       `json:"rounds"`
	Slice       float64   `json:"slice_seconds"`
	Rows        []Row     `json:"rows"`
}

// Row is one operation. Rates, CPU times and ratios are medians over the
// rounds, latencies are over all requests: service times, in the row of the
// open loop response times from the intended start.
type Row struct {
	Operation string  `json:"operation"`
	Requests  int     `json:"requests"`
	Rate      float64 `json:"requests_per_second"`
	// ServerCPU and ClientCPU are microseconds of processor time per request,
	// user and system. ServerCPU is 0 when the process is not ours.
	ServerCPU float64 `json:"server_cpu_us"`
	ClientCPU float64 `json:"client_cpu_us"`
	// Others is the share of the machine's CPU time, in percent, that neither
	// server nor generator got nor left idle: other processes, the network
	// stack's own and, on a virtual machine, other guests. Where it is large or
	// differs from row to row, the figures say little.
	Others float64 `json:"others_percent"`
	P50    float64 `json:"p50_ms"`
	P99    float64 `json:"p99_ms"`
	P999   float64 `json:"p999_ms"`
	Max    float64 `json:"max_ms"`
	// Ratio is Rate by the rate of the floor named in Floor.
	Floor string  `json:"floor,omitempty"`
	Ratio float64 `json:"ratio,omitempty"`
	// Mark is the pass mark in words, Passed whether it was reached.
	Mark   string `json:"mark,omitempty"`
	Passed bool   `json:"passed"`
}

func (b *bench) report() Report {
	r := Report{
		Schema: 1, Time: time.Now().UTC().Truncate(time.Second), Go: runtime.Version(), CPUs: runtime.NumCPU(),
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
	quantile := func(q float64) float64 { return float64(latency.ValueAtQuantile(q)) / float64(time.Millisecond) }
	out := Row{
		Operation: r.name, Requests: int(latency.TotalCount()), Rate: r.rate(), Passed: true,
		ServerCPU: micros(r.perRequest(func(s sample) time.Duration { return s.serverCPU })),
		ClientCPU: micros(r.perRequest(func(s sample) time.Duration { return s.clientCPU })),
		Others:    100 * median(r.samples, func(s sample) float64 { return s.others }),
		P50:       quantile(50), P99: quantile(99), P999: quantile(99.9), Max: quantile(100),
	}
	if r.floor != "" && len(b.row(r.floor).samples) > 0 {
		out.Floor, out.Ratio = r.floor, r.ratioTo(b.row(r.floor))
	}
	if out.Floor != "" && r.ratio > 0 {
		out.Mark, out.Passed = fmt.Sprintf(">= %.2f x floor", r.ratio), out.Ratio >= r.ratio
	}
	if r.p99 > 0 {
		limit := float64(r.p99) / float64(time.Millisecond)
		out.Mark, out.Passed = fmt.Sprintf("p99 < %.0f ms", limit), out.P99 < limit
	}
	if r.slower != "" {
		limit := r.times * float64(b.row(r.slower).latency().ValueAtQuantile(99)) / float64(time.Millisecond)
		out.Mark, out.Passed = fmt.Sprintf("p99 < %.0f x %s", r.times, r.slower), out.P99 < limit
	}
	return out
}

func micros(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }

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
		fmt.Fprintf(t, "%s\t%.0f\t%.1f\t%.1f\t%.0f\t%.2f\t%.2f\t%.1f\t%s\t%s\t%s\n", row.Operation, row.Rate,
			row.ServerCPU, row.ClientCPU, row.Others, row.P50, row.P99, row.Max, row.share(), row.Mark, verdict(row.Mark, row.Passed))
	}
	t.Flush()
}

func (r Row) share() string {
	if r.Floor == "" {
		return ""
	}
	return fmt.Sprintf("%.2f", r.Ratio)
}

func verdict(mark string, passed bool) string {
	switch {
	case mark == "":
		return ""
	case passed:
		return "PASS"
	}
	return "FAIL"
}

func (r Report) write(file string) error { return writeJSON(file, r) }

func writeJSON(file string, report any) error {
	out, err := json.MarshalIndent(report, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(file, append(out, '\n'), 0o644)
}
