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

// Pair is two slices that follow each other.
type Pair struct{ New, Old Slice }

// ratio is NaN where there is none.
func (p Pair) ratio() float64 {
	if !(p.New.Cost > 0) || !(p.Old.Cost > 0) {
		return math.NaN()
	}
	return p.New.Cost / p.Old.Cost
}

// Plan says how many pairs are measured.
type Plan struct {
	// Pairs is how many are wanted.
	Pairs int
	// Others is the share of the machine, 0..1, over which other processes spoil a
	// slice and with it the pair.
	Others float64
}

// stretch is how many times the wanted pairs are tried when some are spoilt.
const stretch = 2

// Run measures pairs until there are as many good ones as wanted, or the plan's
// patience is over: on a busy machine there may be fewer.
func (p Plan) Run(measure func(old bool) (Slice, error)) ([]Pair, error) {
	var pairs []Pair
	for good := 0; good < p.Pairs && len(pairs) < stretch*p.Pairs; {
		var pair Pair
		for _, old := range order(len(pairs)) {
			s, err := measure(old)
			if err != nil {
				return pairs, err
			}
			if old {
				pair.Old = s
			} else {
				pair.New = s
			}
		}
		pairs = append(pairs, pair)
		if p.good(pair) {
			good++
		}
	}
	return pairs, nil
}

// order is that of the two builds in a pair: A B, then B A.
func order(pair int) [2]bool {
	if pair%2 == 0 {
		return [2]bool{false, true}
	}
	return [2]bool{true, false}
}

func (p Plan) good(pair Pair) bool {
	return !math.IsNaN(pair.ratio()) && max(pair.New.Others, pair.Old.Others) <= p.Others
}

// Ratio is how the new build's cost compares with the old one's. Without a good
// pair the figures are NaN.
type Ratio struct {
	Median float64
	// Low and High hold the true median with a confidence of at least 90 %. Fewer
	// than five pairs cannot tell so much: then they are all of them.
	Low, High float64
	// New and Old are the medians of the costs.
	New, Old float64
	// Pairs were good, Dropped were not.
	Pairs, Dropped int
}

// Compare is the outcome of the pairs.
func (p Plan) Compare(pairs []Pair) Ratio {
	var ratios, news, olds []float64
	for _, pair := range pairs {
		if p.good(pair) {
			ratios = append(ratios, pair.ratio())
			news, olds = append(news, pair.New.Cost), append(olds, pair.Old.Cost)
		}
	}
	r := Ratio{
		Median: median(ratios), New: median(news), Old: median(olds), Low: math.NaN(), High: math.NaN(),
		Pairs: len(ratios), Dropped: len(pairs) - len(ratios),
	}
	if n := len(ratios); n > 0 { // sorted by median
		k := outside(n)
		r.Low, r.High = ratios[k], ratios[n-1-k]
	}
	return r
}

// confidence that the interval holds the true median.
const confidence = 0.90

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
	return fmt.Sprintf("%.2f [%.2f, %.2f] of %d pairs, %d dropped", r.Median, r.Low, r.High, r.Pairs, r.Dropped)
}
