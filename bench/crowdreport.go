package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"text/tabwriter"

	"ssod/bench/target"
)

// CrowdReport is what a crowd saw, as printed and as written with --json. A
// reader can rely on the names; new ones may come.
type CrowdReport struct {
	Schema int `json:"schema"` // 1
	Circumstances

	Connections int        `json:"connections"`
	Seconds     float64    `json:"seconds"`
	Rows        []CrowdRow `json:"rows"`
	Nodes       []NodeRow  `json:"nodes"`
	MostMiB     int64      `json:"most_mib"` // mark of each node's peak
}

// CrowdRow counts the results of one operation's requests.
type CrowdRow struct {
	Operation   string `json:"operation"`
	Accepted    int    `json:"accepted"`
	Unavailable int    `json:"unavailable"` // 503: the mark is none
	Refused     int    `json:"refused"`     // anything else
	Rate        figure `json:"accepted_per_second"`
	P50         figure `json:"p50_ms"`
	P99         figure `json:"p99_ms"`
}

// NodeRow is the memory of one node in MiB, as the kernel and its Go runtime
// have it, and how many commands its actors did not admit.
type NodeRow struct {
	Peak        int64 `json:"peak_rss_mib"`
	Heap        int64 `json:"heap_mib"`
	CollectedAt int64 `json:"heap_collected_at_mib"` // when the heap has grown to this
	Stacks      int64 `json:"stacks_mib"`
	NotAdmitted int64 `json:"not_admitted"`
}

func (b *crowd) report(ctx context.Context) (CrowdReport, error) {
	r := CrowdReport{Schema: 1, Circumstances: circumstances(b.crowdCommand.Ssod), Connections: b.crowdCommand.Connections, Seconds: b.For.Seconds(), MostMiB: b.Mark}
	for _, t := range []*tally{&b.link, &b.redeem} {
		r.Rows = append(r.Rows, t.row())
	}
	for _, n := range b.nodes {
		row, err := nodeRow(ctx, n)
		if err != nil {
			return r, err
		}
		r.Nodes = append(r.Nodes, row)
	}
	return r, nil
}

func (t *tally) row() CrowdRow {
	rate := unmeasured
	if t.accepted >= least {
		rate = figure(float64(t.accepted) / t.took.Seconds())
	}
	return CrowdRow{
		Operation: t.operation, Accepted: t.accepted, Unavailable: t.unavailable, Refused: t.refused,
		Rate: rate, P50: quantile(t.latency, 50), P99: quantile(t.latency, 99),
	}
}

// percent is n of all answers.
func (r CrowdRow) percent(n int) figure {
	if r.Accepted+r.Unavailable+r.Refused < least {
		return unmeasured
	}
	return 100 * figure(n) / figure(r.Accepted+r.Unavailable+r.Refused)
}

func nodeRow(ctx context.Context, n *target.Service) (row NodeRow, err error) {
	if row.Peak, err = n.Process.PeakRSS(); err != nil {
		return row, err
	}
	row.Peak >>= 20
	for name, to := range map[string]*int64{
		"go_memstats_heap_inuse_bytes": &row.Heap, "go_memstats_next_gc_bytes": &row.CollectedAt, "go_memstats_stack_inuse_bytes": &row.Stacks,
	} {
		bytes, err := metric(ctx, n.Admin, name)
		if err != nil {
			return row, err
		}
		*to = int64(bytes) >> 20
	}
	refused, err := metric(ctx, n.Admin, "ssod_actor_refused_total")
	row.NotAdmitted = int64(refused)
	return row, err
}

// passed reports whether every mark was reached.
func (r CrowdReport) passed() bool {
	for _, row := range r.Rows {
		if !row.percent(row.Unavailable).atMost(0) {
			return false
		}
	}
	for _, n := range r.Nodes {
		if n.Peak > r.MostMiB {
			return false
		}
	}
	return true
}

func (b *crowd) publish(r CrowdReport) error {
	r.print(os.Stdout)
	if b.JSON != "" {
		if err := writeJSON(b.JSON, r); err != nil {
			return err
		}
	}
	if b.Strict && !r.passed() {
		return errMissed
	}
	return nil
}

func (r CrowdReport) print(out io.Writer) {
	fmt.Fprintf(out, "nodes: %d, one realm, %d connections for %.0f s\n\n", len(r.Nodes), r.Connections, r.Seconds)
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table, "operation\taccepted\tper second\t503 %\tother %\tp50 ms\tp99 ms\tmark\t\t")
	for _, row := range r.Rows {
		unavailable := row.percent(row.Unavailable)
		fmt.Fprintf(table, "%s\t%d\t%s\t%s\t%s\t%s\t%s\tno 503\t%s\t\n", row.Operation, row.Accepted, row.Rate.text("%.0f"),
			unavailable.text("%.2f"), row.percent(row.Refused).text("%.2f"), row.P50.text("%.1f"), row.P99.text("%.1f"),
			verdict("no 503", unavailable, unavailable.atMost(0)))
	}
	table.Flush()
	fmt.Fprintln(out)
	for i, n := range r.Nodes {
		mark := fmt.Sprintf("at most %d", r.MostMiB)
		fmt.Fprintf(out, "node %d: peak RSS %d MiB, mark %s: %s (heap %d, collected at %d, stacks %d), %d not admitted\n", i+1, n.Peak, mark,
			verdict(mark, figure(n.Peak), n.Peak <= r.MostMiB), n.Heap, n.CollectedAt, n.Stacks, n.NotAdmitted)
	}
}
