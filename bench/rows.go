package main

import (
	"fmt"
	"slices"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// The rows of a report.
const (
	floorRefresh = "floor refresh"
	floorMint    = "floor mint"
	refresh      = "refresh"
	refreshChain = "refresh, newest token"
	floorHalf    = "floor at that rate"
	refreshHalf  = "refresh at half peak"
	list         = "list"
	mint         = "mint"
	link         = "link"
	redeem       = "redeem"
	unlink       = "unlink"
)

// row collects the slices of one operation.
type row struct {
	name    string
	floor   string        // the row it is compared with; empty for none
	needs   []string      // rows without which it cannot be measured
	ratio   float64       // least share of the floor's rate; 0 for none
	p99     time.Duration // largest p99; 0 for none
	slower  string        // the row whose p99 it may exceed by the factor times
	times   float64
	samples []sample
}

// newRows is every row with its pass mark.
func newRows() []*row {
	return []*row{
		{name: floorRefresh},
		{name: refresh, floor: floorRefresh, ratio: 0.7},
		{name: refreshChain, floor: floorRefresh, ratio: 0.7},
		{name: list, floor: floorRefresh, ratio: 0.7},
		{name: floorMint},
		{name: mint, floor: floorMint, ratio: 0.5},
		{name: link, floor: floorMint, ratio: 0.35}, // two commits
		{name: redeem, floor: floorMint, ratio: 0.5, needs: []string{link}},
		{name: unlink, floor: floorMint, ratio: 0.5, needs: []string{link, redeem}},
		{name: floorHalf, needs: []string{refresh}},
		{name: refreshHalf, p99: 10 * time.Millisecond, needs: []string{refresh, floorHalf}},
	}
}

// wanted reports whether a row is measured: all of them, or those of --only
// with what they need.
func (b *bench) wanted(r *row) bool {
	if len(b.Only) == 0 {
		return true
	}
	return slices.ContainsFunc(b.Only, func(name string) bool {
		asked := b.row(name)
		return name == r.name || r.name == asked.floor || slices.Contains(asked.needs, r.name)
	})
}

// checkOnly reports a name in --only that is no row.
func (b *bench) checkOnly() error {
	for _, name := range b.Only {
		if !slices.ContainsFunc(b.rows, func(r *row) bool { return r.name == name }) {
			return fmt.Errorf("--only %q is no row of the report", name)
		}
	}
	return nil
}

func (b *bench) row(name string) *row {
	return b.rows[slices.IndexFunc(b.rows, func(r *row) bool { return r.name == name })]
}

func (r *row) rate() figure { return median(r.samples, sample.rate) }

// ratioTo is the median over the rounds of this row's rate by the floor's in
// the same round.
func (r *row) ratioTo(floor *row) figure {
	ratios := make([]figure, min(len(r.samples), len(floor.samples)))
	for i := range ratios {
		ratios[i] = r.samples[i].rate() / floor.samples[i].rate()
	}
	return median(ratios, itself)
}

// latency is the distribution over all slices that say something.
func (r *row) latency() *hdrhistogram.Histogram {
	all := hdrhistogram.New(1000, int64(time.Minute), 3)
	for _, s := range r.samples {
		if !s.few {
			all.Merge(s.Latency)
		}
	}
	return all
}
