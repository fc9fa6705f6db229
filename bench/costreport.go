package main

import (
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// CostReport is the outcome of a run on a cluster, as printed and as written
// with --json. A reader can rely on the names; new ones may come.
type CostReport struct {
	Schema int `json:"schema"` // 1
	Circumstances

	Members int       `json:"members"`
	Rounds  int       `json:"rounds"`
	Slice   float64   `json:"slice_seconds"`
	Rows    []CostRow `json:"rows"`
	Idle    IdleRow   `json:"idle"`
}

// CostRow is one operation at one place. CPU times and hops are medians over the
// rounds, latencies are over all requests. A figure that was not measured is null.
type CostRow struct {
	Operation   string `json:"operation"`
	Where       string `json:"where"`
	Connections int    `json:"connections"`
	Requests    int    `json:"requests"`
	Refused     int    `json:"refused"`
	Rate        figure `json:"requests_per_second"`
	// CPU is microseconds of processor time per request over all nodes.
	CPU    figure `json:"cpu_us"`
	Others figure `json:"others_percent"`
	// Hops is how many commands the nodes sent each other per request.
	Hops figure `json:"hops"`
	P50  figure `json:"p50_ms"`
	P99  figure `json:"p99_ms"`
	// Times is CPU by that of one node; PerHop is by how many microseconds a
	// request costs more than at its owner, per hop.
	Times  figure `json:"times_one_node,omitempty"`
	PerHop figure `json:"us_per_hop,omitempty"`
	Mark   string `json:"mark,omitempty"`
	Passed bool   `json:"passed"`
	judged figure // what Mark is about
}

// IdleRow is the cost of an idle cluster.
type IdleRow struct {
	Cores  []float64 `json:"cores"` // per node
	Mark   string    `json:"mark"`
	Passed bool      `json:"passed"`
}

// worst is the node that costs most.
func (r IdleRow) worst() figure {
	if len(r.Cores) == 0 {
		return unmeasured
	}
	return figure(slices.Max(r.Cores))
}

func (b *clusterBench) report() CostReport {
	return CostReport{
		Schema: 1, Circumstances: circumstances(b.Ssod),
		Members: b.Members, Rounds: b.Rounds, Slice: b.Slice.Seconds(), Rows: b.costs.report(),
		Idle: judgeIdle(b.idle),
	}
}

// judgeIdle judges the cores that each node takes.
func judgeIdle(cores []float64) IdleRow {
	return IdleRow{
		Cores: cores, Mark: fmt.Sprintf("< %.0f %% of a core per node", 100*mostIdle),
		Passed: len(cores) > 0 && slices.Max(cores) < mostIdle,
	}
}

// report judges the rows.
func (c *costs) report() (rows []CostRow) {
	for _, r := range c.rows {
		row := r.report()
		switch r.where {
		case oneHop:
			row.PerHop = r.perHop(c.row(r.operation, atOwner, r.connections))
			row.Passed, row.judged = row.PerHop.atMost(float64(micros(mostHop))), row.PerHop
			row.Mark = fmt.Sprintf("<= %.0f us per hop", float64(micros(mostHop)))
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
		row.Mark, row.Passed = fmt.Sprintf("<= %.1f x one node", mostTimes), row.Times.atMost(mostTimes)
		row.judged = row.Times
	}
	return []CostRow{one.report(), row}
}

func (r *costRow) report() CostRow {
	latency := hdrhistogram.New(1000, int64(time.Minute), 3)
	refused := 0
	for _, s := range r.samples {
		refused += s.Errors
		if s.Latency != nil && !s.few {
			latency.Merge(s.Latency)
		}
	}
	return CostRow{
		Operation: r.operation, Where: r.where, Connections: r.connections, Requests: int(latency.TotalCount()), Refused: refused,
		Rate: median(r.samples, func(s costSample) figure { return s.rate() }), CPU: r.cpu(),
		Others: median(r.samples, func(s costSample) figure { return s.othersPercent() }),
		Hops:   r.hops(), P50: quantile(latency, 50), P99: quantile(latency, 99), Passed: true,
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
		fmt.Fprintf(t, "%s\t%s\t%d\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", row.Operation, row.Where, row.Connections,
			row.Rate.text("%.0f"), figure(row.Refused).unlessZero("%.0f"), row.CPU.text("%.1f"), row.Others.unlessZero("%.0f"),
			row.Hops.text("%.2f"), row.P50.text("%.2f"), row.P99.text("%.2f"), row.Times.unlessZero("%.2f"),
			row.PerHop.unlessZero("%.1f"), row.Mark, verdict(row.Mark, row.judged, row.Passed))
	}
	t.Flush()
	r.Idle.print(w)
}

func (r IdleRow) print(w io.Writer) {
	fmt.Fprintf(w, "\nidle:")
	for i, cores := range r.Cores {
		fmt.Fprintf(w, " n%d %.2f %%", i+1, 100*cores)
	}
	fmt.Fprintf(w, " of a core, mark %s: %s\n", r.Mark, verdict(r.Mark, r.worst(), r.Passed))
}
