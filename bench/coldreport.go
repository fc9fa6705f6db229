package main

import (
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"ssod/bench/paired"
)

// The marks of cold requests.
const (
	mostCold     = 0.6 // CPU and p99 by those of the other build
	mostYoung    = 1.3 // CPU just after a start by that later
	mostYoungP99 = 2.0 // p99 likewise
)

// ColdReport is the outcome of a run, as printed and as written with --json.
type ColdReport struct {
	Schema int `json:"schema"` // 1
	Circumstances

	Profiles int       `json:"profiles"`
	Devices  int       `json:"devices"`
	Rounds   int       `json:"rounds"`
	Rate     float64   `json:"paced_requests_per_second"`
	Rows     []ColdRow `json:"rows"`
	Ratios   []Ratio   `json:"ratios"`
}

// ColdRow is one kind of request on one build. CPU times are medians over the
// slices, latencies are over all requests.
type ColdRow struct {
	Build    string `json:"build"`
	Requests string `json:"requests"`
	Count    int    `json:"count"`
	Rate     figure `json:"requests_per_second"`
	CPU      figure `json:"cpu_us"`
	P50      figure `json:"p50_ms"`
	P99      figure `json:"p99_ms"`
}

// Ratio compares two rows: the median over pairs of slices, and the interval in
// which it lies with 90 %.
type Ratio struct {
	What    string `json:"what"`
	Pairs   int    `json:"pairs"`
	Dropped int    `json:"dropped"`
	Ratio   figure `json:"ratio"`
	Low     figure `json:"low"`
	High    figure `json:"high"`
	Mark    string `json:"mark"`
	Passed  bool   `json:"passed"`
}

func (b *coldBench) report() ColdReport {
	r := ColdReport{
		Schema: 1, Circumstances: circumstances(b.Ssod),
		Profiles: b.Profiles, Devices: b.Devices, Rounds: b.Rounds, Rate: b.rate,
	}
	for _, n := range b.builds {
		r.Rows = append(r.Rows, coldRow(n.name, "mint, cold", n.cold), coldRow(n.name, "mint, cold, paced", n.paced))
		if b.Young > 0 {
			r.Rows = append(r.Rows,
				coldRow(n.name, "mint, young", n.young.mint), coldRow(n.name, "mint, settled", n.settled.mint),
				coldRow(n.name, "refresh, young", n.young.refresh), coldRow(n.name, "refresh, settled", n.settled.refresh))
		}
	}
	ours := b.builds[0]
	if len(b.builds) > 1 {
		other := b.builds[1]
		r.Ratios = append(r.Ratios,
			b.pairs("CPU of cold mint by the other build", ours.cold, other.cold, sample.server).mark(mostCold),
			b.pairs("CPU of paced cold mint by the other build", ours.paced, other.paced, sample.server),
			b.pairs("p99 of paced cold mint by the other build", ours.paced, other.paced, sample.p99).mark(mostCold))
	}
	if b.Young > 0 {
		young, settled := ours.young, ours.settled
		r.Ratios = append(r.Ratios,
			ofMedians("CPU of mint, young by settled", young.mint, settled.mint).mark(mostYoung),
			ofMedians("CPU of refresh, young by settled", young.refresh, settled.refresh).mark(mostYoung),
			ofTails("p99 of mint, young by settled", young.mint, settled.mint).mark(mostYoungP99),
			ofTails("p99 of refresh, young by settled", young.refresh, settled.refresh).mark(mostYoungP99))
	}
	return r
}

func coldRow(build, requests string, all []sample) ColdRow {
	latency := merged(all)
	return ColdRow{
		Build: build, Requests: requests, Count: int(latency.TotalCount()), Rate: median(all, sample.rate),
		CPU: median(all, sample.server), P50: quantile(latency, 50), P99: quantile(latency, 99),
	}
}

// merged is the distribution over all slices that say something.
func merged(all []sample) *hdrhistogram.Histogram {
	latency := hdrhistogram.New(1000, int64(time.Minute), 3)
	for _, s := range all {
		if !s.few {
			latency.Merge(s.Latency)
		}
	}
	return latency
}

// p99 is that of a slice in milliseconds.
func (s sample) p99() figure { return s.unlessFew(quantile(s.Latency, 99)) }

// pairs compares slices that were measured side by side. A pair that others
// disturbed does not count.
func (b *coldBench) pairs(what string, ours, others []sample, value func(sample) figure) Ratio {
	rounds := make([]paired.Round, min(len(ours), len(others)))
	for i := range rounds {
		for _, s := range []sample{ours[i], others[i]} {
			rounds[i] = append(rounds[i], paired.Slice{Cost: float64(value(s)), Others: s.others})
		}
	}
	r := paired.Plan{Others: b.Others / 100}.Compare(rounds, paired.Between(0, 1))
	return Ratio{What: what, Pairs: r.Pairs, Dropped: r.Dropped, Ratio: figure(r.Median), Low: figure(r.Low), High: figure(r.High)}
}

// ofMedians compares the CPU time of slices that were not measured side by side.
func ofMedians(what string, ours, base []sample) Ratio {
	ratio := median(ours, sample.server) / median(base, sample.server)
	return Ratio{What: what, Pairs: len(ours), Ratio: ratio, Low: unmeasured, High: unmeasured}
}

// ofTails compares the p99 of all their requests.
func ofTails(what string, ours, base []sample) Ratio {
	ratio := quantile(merged(ours), 99) / quantile(merged(base), 99)
	return Ratio{What: what, Pairs: len(ours), Ratio: ratio, Low: unmeasured, High: unmeasured}
}

// mark judges the ratio.
func (r Ratio) mark(most float64) Ratio {
	r.Mark, r.Passed = fmt.Sprintf("<= %.1f", most), r.Ratio.atMost(most)
	return r
}

func (r ColdReport) passed() bool {
	return !slices.ContainsFunc(r.Ratios, func(r Ratio) bool { return r.Mark != "" && !r.Passed })
}

func (r ColdReport) print(w io.Writer) {
	fmt.Fprintf(w, "%d stored profiles with %d devices, %d rounds, %d CPUs shared with the generator, paced at %.0f/s, %s\n\n",
		r.Profiles, r.Devices, r.Rounds, r.CPUs, r.Rate, r.Go)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "build\trequests\tcount\trequests/s\tCPU us\tp50 ms\tp99 ms\t")
	for _, row := range r.Rows {
		fmt.Fprintf(t, "%s\t%s\t%d\t%s\t%s\t%s\t%s\t\n", row.Build, row.Requests, row.Count,
			row.Rate.text("%.0f"), row.CPU.text("%.1f"), row.P50.text("%.2f"), row.P99.text("%.2f"))
	}
	fmt.Fprintln(t, "\t\t\t\t\t\t\t")
	fmt.Fprintln(t, "ratio\tmedian\t90 % from\tto\tslices\tmark\t\t")
	for _, row := range r.Ratios {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%d\t%s\t%s\t\n", row.What, row.Ratio.text("%.2f"), row.Low.text("%.2f"),
			row.High.text("%.2f"), row.Pairs, row.Mark, verdict(row.Mark, row.Ratio, row.Passed))
	}
	t.Flush()
}
