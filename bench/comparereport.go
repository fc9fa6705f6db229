package main

import (
	"fmt"
	"io"
	"os"
	"slices"
	"text/tabwriter"

	"ssod/bench/paired"
)

// DuelReport is how a build compares with an older one, as printed and as written
// with --json. A reader can rely on the names; new ones may come.
type DuelReport struct {
	Schema int `json:"schema"` // 1
	Circumstances

	Against string    `json:"against"`
	Members int       `json:"members"`
	Slice   float64   `json:"slice_seconds"`
	Rows    []DuelRow `json:"rows"`
}

// DuelRow is one comparison of CPU times per request: the median of the rounds'
// ratios with its 90 % interval, which fewer than five
// have not, see package paired. A figure that was not measured
// is null.
type DuelRow struct {
	What        string `json:"what"`
	Operation   string `json:"operation"`
	Connections int    `json:"connections"`
	Ratio       figure `json:"ratio"`
	Low         figure `json:"low"`
	High        figure `json:"high"`
	CPU         figure `json:"cpu_us"` // of the first in What
	Other       figure `json:"other_cpu_us"`
	Rounds      int    `json:"rounds"`
	Dropped     int    `json:"dropped"`
	Mark        figure `json:"mark,omitempty"`
	Passed      bool   `json:"passed"`
}

func newDuelReport(c *clusterCommand) DuelReport {
	return DuelReport{
		Schema: 1, Circumstances: circumstances(c.Ssod),
		Against: c.Against, Members: c.Members, Slice: c.Slice.Seconds(),
	}
}

// add judges a comparison.
func (r *DuelReport) add(what, operation string, connections int, ratio paired.Ratio) {
	row := DuelRow{
		What: what, Operation: operation, Connections: connections,
		Ratio: figure(ratio.Median), Low: figure(ratio.Low), High: figure(ratio.High),
		CPU: figure(ratio.One), Other: figure(ratio.Other), Rounds: ratio.Pairs, Dropped: ratio.Dropped, Passed: true,
	}
	if m, ok := markOf(what, operation, connections); ok {
		row.Mark, row.Passed = figure(m), row.Ratio.atMost(m)
	}
	r.Rows = append(r.Rows, row)
}

func (r *DuelReport) passed() bool {
	return !slices.ContainsFunc(r.Rows, func(row DuelRow) bool { return !row.Passed })
}

func (r *DuelReport) print(out io.Writer) {
	fmt.Fprintf(out, "against %s: %d members, slices of %.1f s in turn, %d CPUs shared by all nodes and the generator, %s\n\n",
		r.Against, r.Members, r.Slice, r.CPUs, r.Go)
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	defer w.Flush()
	fmt.Fprintln(w, "what\toperation\tconnections\tCPU us\tother us\tratio\t90 %\trounds\tdropped\tmark\t")
	for _, row := range r.Rows {
		fmt.Fprintf(w, "%s\t%s\t%d\t%s\t%s\t%s\t%s\t%d\t%d\t%s\t%s\n", row.What, row.Operation, row.Connections,
			row.CPU.text("%.1f"), row.Other.text("%.1f"), row.Ratio.text("%.2f"), row.interval(),
			row.Rounds, row.Dropped, row.Mark.unlessZero("<= %.2f"), verdict(row.Mark.unlessZero("%.2f"), row.Ratio, row.Passed))
	}
}

// interval is a dash for fewer rounds than an interval needs, see package paired.
func (r DuelRow) interval() string {
	if !r.Low.measured() {
		return "-"
	}
	return r.Low.text("%.2f") + ".." + r.High.text("%.2f")
}

// publish prints the report and writes it.
func (r *DuelReport) publish(file string, strict bool) error {
	r.print(os.Stdout)
	if file != "" {
		if err := writeJSON(file, r); err != nil {
			return err
		}
	}
	if strict && !r.passed() {
		return errMissed
	}
	return nil
}
