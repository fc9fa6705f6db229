package main

import (
	"fmt"
	"io"
	"math"
	"os"
	"text/tabwriter"

	"ssod/bench/paired"
)

// ProvidersReport is what the viewers of one TV provider notice of another, as printed
// and as written with --json. A reader can rely on the names; new ones may come.
type ProvidersReport struct {
	Schema int `json:"schema"` // 1
	Circumstances

	Rate   figure         `json:"decisions_per_second"`
	Beside figure         `json:"decisions_per_second_beside"`
	Mark   figure         `json:"mark"`
	Rows   []ProvidersRow `json:"rows"`
}

// ProvidersRow is one mood of the other provider: the 99th percentile of the response
// times at the one that is well, and how it compares with that of the same round while
// the other is well, too.
type ProvidersRow struct {
	Other  string `json:"other"`
	P99    figure `json:"p99_ms"`
	Ratio  figure `json:"ratio"`
	Low    figure `json:"low"`
	High   figure `json:"high"`
	Pairs  int    `json:"pairs"`
	text   string // of the ratio
	Passed bool   `json:"passed"`
}

func (c *providersCommand) report(plan paired.Plan, rounds []paired.Round) ProvidersReport {
	r := ProvidersReport{Schema: 1, Circumstances: circumstances(c.Ssod), Rate: figure(c.Rate), Beside: figure(c.Beside), Mark: figure(c.Mark)}
	for i, m := range c.moods() {
		ratio := plan.Compare(rounds, paired.Between(i, 0))
		row := ProvidersRow{Other: m.name, P99: figure(ratio.One), Passed: true, Pairs: ratio.Pairs, Ratio: 1, Low: figure(math.NaN()), High: figure(math.NaN())}
		if i > 0 {
			row.Ratio, row.Low, row.High, row.text = figure(ratio.Median), figure(ratio.Low), figure(ratio.High), ratio.String()
			row.Passed = row.Ratio.atMost(c.Mark)
		}
		r.Rows = append(r.Rows, row)
	}
	return r
}

func (c *providersCommand) publish(r ProvidersReport) error {
	r.print(os.Stdout)
	if c.JSON != "" {
		if err := writeJSON(c.JSON, r); err != nil {
			return err
		}
	}
	if c.Strict && !r.passed() {
		return errMissed
	}
	return nil
}

func (r ProvidersReport) passed() bool {
	for _, row := range r.Rows {
		if !row.Passed {
			return false
		}
	}
	return true
}

func (r ProvidersReport) print(out io.Writer) {
	fmt.Fprintf(out, "%.0f decisions per second at a TV provider that is well, %.0f at another one, none from a cache\n\n", float64(r.Rate), float64(r.Beside))
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "the other one\tp99 ms\tp99 / p99 while the other one is well\tmark")
	mark := fmt.Sprintf("at most %.1f", float64(r.Mark))
	for _, row := range r.Rows {
		judged := ""
		if row.text != "" {
			judged = mark + ": " + verdict(mark, row.Ratio, row.Passed)
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", row.Other, row.P99.text("%.1f"), row.text, judged)
	}
	table.Flush()
}
