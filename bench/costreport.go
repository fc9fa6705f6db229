package main

import (
	"fmt"
	"io"
	"runtime"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// CostReport is the outcome of a run on a cluster, as printed and as written
// with --json. A reader can rely on the names; new ones may come.
type CostReport struct {
	Schema  int       `json:"schema"` // 1
	Time    time.Time `json:"time"`
	Go      string    `json:"go"`
	CPUs    int       `json:"cpus"` // shared by all nodes and the generator
	Members int       `json:"members"`
	Rounds  int       `json:"rounds"`
	Slice   float64   `json:"slice_seconds"`
	Rows    []CostRow `json:"rows"`
	Idle    IdleRow   `json:"idle"`
}

// CostRow is one operation at one place. CPU times and hops are medians over the
// rounds, latencies are over all requests.
type CostRow struct {
	Operation   string  `json:"operation"`
	Where       string  `json:"where"`
	Connections int     `json:"connections"`
	Requests    int     `json:"requests"`
	Refused     int     `json:"refused"`
	Rate        float64 `json:"requests_per_second"`
	// CPU is microseconds of processor time per request over all nodes.
	CPU    float64 `json:"cpu_us"`
	Others float64 `json:"others_percent"`
	// Hops is how many commands the nodes sent each other per request.
	Hops float64 `json:"hops"`
	P50  float64 `json:"p50_ms"`
	P99  float64 `json:"p99_ms"`
	// Times is CPU by that of one node; PerHop is by how many microseconds a
	// request costs more than at its owner, per hop.
	Times  float64 `json:"times_one_node,omitempty"`
	PerHop float64 `json:"us_per_hop,omitempty"`
	Mark   string  `json:"mark,omitempty"`
	Passed bool    `json:"passed"`
}

// IdleRow is what a cluster costs that nobody asks anything.
type IdleRow struct {
	Cores  []float64 `json:"cores"` // per node
	Mark   string    `json:"mark"`
	Passed bool      `json:"passed"`
}

func (b *clusterBench) report() CostReport {
	r := CostReport{
		Schema: 1, Time: time.Now().UTC().Truncate(time.Second), Go: runtime.Version(), CPUs: runtime.NumCPU(),
		Members: b.Members, Rounds: b.Rounds, Slice: b.Slice.Seconds(), Rows: b.costs.report(),
	}
	r.Idle = IdleRow{
		Cores: b.idle, Mark: fmt.Sprintf("< %.0f %% of a core per node", 100*mostIdle),
		Passed: len(b.idle) > 0 && slices.Max(b.idle) < mostIdle,
	}
	return r
}

// report judges the rows.
func (c *costs) report() (rows []CostRow) {
	for _, r := range c.rows {
		row := r.report()
		switch r.where {
		case oneHop:
			hop := r.perHop(c.row(r.operation, atOwner, r.connections))
			row.PerHop, row.Passed = micros(hop), hop <= mostHop
			row.Mark = fmt.Sprintf("<= %.0f us per hop", micros(mostHop))
		case onThree:
			row.Times = r.times(c.row(r.operation, onOne, r.connections))
		}
		rows = append(rows, row)
	}
	for _, connections := range c.connections {
		rows = append(rows, c.judgeDurable(connections)...)
	}
	return rows
}

// judgeDurable compares the mean of what changes something.
func (c *costs) judgeDurable(connections int) []CostRow {
	one, three := c.durable(onOne, connections), c.durable(onThree, connections)
	if len(one.samples) == 0 || len(three.samples) == 0 {
		return nil
	}
	row := three.report()
	row.Times = three.times(one)
	if connections == slices.Max(c.connections) {
		row.Mark, row.Passed = fmt.Sprintf("<= %.1f x one node", mostTimes), row.Times <= mostTimes
	}
	return []CostRow{one.report(), row}
}

func (r *costRow) report() CostRow {
	latency := hdrhistogram.New(1000, int64(time.Minute), 3)
	refused := 0
	for _, s := range r.samples {
		refused += s.Errors
		if s.Latency != nil {
			latency.Merge(s.Latency)
		}
	}
	quantile := func(q float64) float64 { return float64(latency.ValueAtQuantile(q)) / float64(time.Millisecond) }
	return CostRow{
		Operation: r.operation, Where: r.where, Connections: r.connections, Requests: int(latency.TotalCount()), Refused: refused,
		Rate: median(r.samples, func(s costSample) float64 { return s.Rate() }), CPU: micros(r.cpu()),
		Others: 100 * median(r.samples, func(s costSample) float64 { return s.others }),
		Hops:   r.hops(), P50: quantile(50), P99: quantile(99), Passed: true,
	}
}

func (r CostReport) passed() bool {
	return r.Idle.Passed && !slices.ContainsFunc(r.Rows, func(row CostRow) bool { return !row.Passed })
}

func (r CostReport) print(w io.Writer) {
	fmt.Fprintf(w, "%d members, %d rounds of %.1f s, %d CPUs shared by all nodes and the generator, %s\n\n",
		r.Members, r.Rounds, r.Slice, r.CPUs, r.Go)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "operation\twhere\tconnections\trequests/s\trefused\tCPU us\tothers %\thops\tp50 ms\tp99 ms\tx one node\tus per hop\tmark\t")
	for _, row := range r.Rows {
		fmt.Fprintf(t, "%s\t%s\t%d\t%s\t%s\t%.1f\t%s\t%.2f\t%s\t%s\t%s\t%s\t%s\t%s\n", row.Operation, row.Where,
			row.Connections, unlessZero("%.0f", row.Rate), unlessZero("%.0f", float64(row.Refused)), row.CPU, unlessZero("%.0f", row.Others), row.Hops,
			unlessZero("%.2f", row.P50), unlessZero("%.2f", row.P99),
			unlessZero("%.2f", row.Times), unlessZero("%.1f", row.PerHop), row.Mark, verdict(row.Mark, row.Passed))
	}
	t.Flush()
	fmt.Fprintf(w, "\nidle:")
	for i, cores := range r.Idle.Cores {
		fmt.Fprintf(w, " n%d %.2f %%", i+1, 100*cores)
	}
	fmt.Fprintf(w, " of a core, mark %s: %s\n", r.Idle.Mark, verdict(r.Idle.Mark, r.Idle.Passed))
}

func unlessZero(format string, f float64) string {
	if f == 0 {
		return ""
	}
	return fmt.Sprintf(format, f)
}
