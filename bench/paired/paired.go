package paired

import (
	"fmt"
	"math"
	"slices"
)

// Slice is what a short measurement showed.
type Slice struct {
	Cost   float64 // of one request; NaN where nothing was measured
	Others float64 // the share of the machine that other processes had, 0..1
}

// Round is a slice of each side that is measured, in the order of the sides.
type Round []Slice

// Costs reads the two costs that are compared from a round.
type Costs func(Round) (one, other float64)

// Between compares one side with another.
func Between(one, other int) Costs {
	return func(r Round) (float64, float64) { return r[one].Cost, r[other].Cost }
}

// Plan says how many rounds are measured.
type Plan struct {
	// Pairs is how many good rounds are wanted.
	Pairs int
	// Others is the share of the machine, 0..1, over which other processes spoil a
	// round.
	Others float64
}

// stretch is how many times the wanted rounds are tried when some are spoilt.
const stretch = 2

// Run measures sides, numbered from 0, until there are as many good rounds as
// wanted, or the plan's patience is over: on a busy machine there may be fewer.
func (p Plan) Run(sides int, measure func(side int) (Slice, error)) ([]Round, error) {
	var rounds []Round
	for !p.Enough(rounds) {
		round := make(Round, sides)
		for _, side := range Order(len(rounds), sides) {
			var err error
			if round[side], err = measure(side); err != nil {
				return rounds, err
			}
		}
		rounds = append(rounds, round)
	}
	return rounds, nil
}

// Enough reports whether no more rounds need to be measured.
func (p Plan) Enough(rounds []Round) bool {
	good := 0
	for _, r := range rounds {
		if p.good(r) {
			good++
		}
	}
	return good >= p.Pairs || len(rounds) >= stretch*p.Pairs
}

// Order is that of the sides in a round: A B, then B A.
func Order(round, sides int) []int {
	order := make([]int, sides)
	for i := range order {
		order[i] = i
	}
	if round%2 == 1 {
		slices.Reverse(order)
	}
	return order
}

// good reports whether others left enough of the machine to every slice.
func (p Plan) good(r Round) bool {
	return !slices.ContainsFunc(r, func(s Slice) bool { return math.IsNaN(s.Cost) || s.Others > p.Others })
}

// Ratio is how one cost compares with another. Without a good pair the figures are
// NaN.
type Ratio struct {
	Median float64
	// Low and High hold the true median with a confidence of at least 90 %. They are
	// NaN below five pairs: all of n hold it with 1-2^(1-n), which is 88 % of four.
	Low, High float64
	// One and Other are the medians of the costs.
	One, Other float64
	// Pairs were good, Dropped were not.
	Pairs, Dropped int
}

// Compare is the outcome of the rounds.
func (p Plan) Compare(rounds []Round, costs Costs) Ratio {
	var ratios, ones, others []float64
	for _, r := range rounds {
		one, other := costs(r)
		if p.good(r) && one > 0 && other > 0 {
			ratios, ones, others = append(ratios, one/other), append(ones, one), append(others, other)
		}
	}
	r := Ratio{
		Median: median(ratios), One: median(ones), Other: median(others), Low: math.NaN(), High: math.NaN(),
		Pairs: len(ratios), Dropped: len(rounds) - len(ratios),
	}
	if n := len(ratios); n >= fewest { // sorted by median
		k := outside(n)
		r.Low, r.High = ratios[k], ratios[n-1-k]
	}
	return r
}

const (
	// confidence that the interval holds the true median.
	confidence = 0.90
	// fewest is how many values have an interval of that confidence.
	fewest = 5
)

// outside is how many of n values lie outside of the interval at either end. Each
// is below the true median with probability 1/2, so the k lowest all are, and one
// more is not, as often as n tosses of a coin show at most k heads.
func outside(n int) (k int) {
	chance, sum := math.Pow(0.5, float64(n)), 0.0
	for k = 0; k < n/2; k++ {
		sum += chance // P(at most k heads)
		if 2*sum > 1-confidence {
			break
		}
		chance *= float64(n-k) / float64(k+1)
	}
	return max(k-1, 0)
}

// median sorts the values.
func median(values []float64) float64 {
	n := len(values)
	if n == 0 {
		return math.NaN()
	}
	slices.Sort(values)
	return (values[n/2] + values[(n-1)/2]) / 2
}

// String is the ratio with its interval, as reports print it.
func (r Ratio) String() string {
	if r.Pairs == 0 {
		return fmt.Sprintf("not measured (%d pairs dropped)", r.Dropped)
	}
	if r.Pairs < fewest {
		return fmt.Sprintf("%.2f of %d pairs, too few for an interval, %d dropped", r.Median, r.Pairs, r.Dropped)
	}
	return fmt.Sprintf("%.2f [%.2f, %.2f] of %d pairs, %d dropped", r.Median, r.Low, r.High, r.Pairs, r.Dropped)
}
