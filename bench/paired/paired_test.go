package paired

import (
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

var plan = Plan{Pairs: 15, Others: 0.1}

func pair(one, other, others float64) Round {
	return Round{{Cost: one, Others: others}, {Cost: other}}
}

var between = Between(0, 1)

func TestTheBuildsAreMeasuredInTurn(t *testing.T) {
	var got string
	rounds, err := Plan{Pairs: 4, Others: 0.1}.Run(3, func(side int) (Slice, error) {
		got += string('A' + rune(side))
		return Slice{Cost: float64(side + 1)}, nil
	})
	if err != nil || got != "ABCCBAABCCBA" || len(rounds) != 4 {
		t.Fatalf("got %s, %d rounds, %v, want ABCCBAABCCBA", got, len(rounds), err)
	}
	if r := plan.Compare(rounds, Between(0, 2)); r.Median != 1.0/3 || r.One != 1 || r.Other != 3 {
		t.Errorf("got %+v, want a third", r)
	}
}

func TestSpoiltPairsAreMeasuredAgain(t *testing.T) {
	n := 0
	pairs, err := Plan{Pairs: 3, Others: 0.1}.Run(2, func(int) (Slice, error) {
		n++
		if n == 2 {
			return Slice{Cost: 1, Others: 0.5}, nil
		}
		return Slice{Cost: 1}, nil
	})
	if r := plan.Compare(pairs, between); err != nil || r.Pairs != 3 || r.Dropped != 1 {
		t.Errorf("got %+v, %v, want three pairs beside the spoilt one", r, err)
	}
	pairs, err = Plan{Pairs: 3, Others: 0.1}.Run(2, func(int) (Slice, error) { return Slice{Cost: 1, Others: 1}, nil })
	if r := plan.Compare(pairs, between); err != nil || r.Pairs != 0 || r.Dropped != 6 || !math.IsNaN(r.Median) {
		t.Errorf("on a machine that others have: got %+v, %v, want an end without a figure", r, err)
	}
}

func TestARunEndsWithItsFirstError(t *testing.T) {
	failed := errors.New("failed")
	if _, err := plan.Run(2, func(int) (Slice, error) { return Slice{}, failed }); !errors.Is(err, failed) {
		t.Errorf("got %v, want %v", err, failed)
	}
}

func TestPairsThatSayNothingAreDropped(t *testing.T) {
	r := plan.Compare([]Round{
		pair(1, 2, 0), pair(1, 2, 0.1), pair(1, 2, 0), pair(3, 2, 0), pair(9, 1, 0.11), pair(math.NaN(), 1, 0), pair(1, math.NaN(), 0), pair(1, 0, 0), pair(3, 2, 0),
	}, between)
	if r.Pairs != 5 || r.Dropped != 4 || r.Median != 0.5 || r.Low != 0.5 || r.High != 1.5 {
		t.Errorf("got %+v, want 0.5 of five pairs", r)
	}
}

// TestFewPairsHaveNoInterval: all of four hold the true median in 88 % of runs only.
func TestFewPairsHaveNoInterval(t *testing.T) {
	for n := 1; n <= 6; n++ {
		r := plan.Compare(slices.Repeat([]Round{pair(1, 2, 0)}, n), between)
		if none := math.IsNaN(r.Low) && math.IsNaN(r.High); none != (n < 5) || r.Median != 0.5 {
			t.Errorf("%d pairs: got %+v, want an interval from five on", n, r)
		}
		if says := strings.Contains(r.String(), "["); says != (n >= 5) {
			t.Errorf("%d pairs: got %q, want an interval from five on", n, r)
		}
	}
}

// TestTheIntervalIsThatOfTheSignTest beside the printed tables of it.
func TestTheIntervalIsThatOfTheSignTest(t *testing.T) {
	for n, want := range map[int]int{1: 0, 4: 0, 5: 0, 7: 0, 8: 1, 10: 1, 11: 2, 13: 3, 15: 3, 16: 4, 20: 5, 30: 10, 50: 18} {
		if got := outside(n); got != want {
			t.Errorf("of %d values: got %d outside at either end, want %d", n, got, want)
		}
	}
}

// TestTheIntervalHoldsTheTrueMedian in at least 90 % of many runs, also of a lopsided
// distribution.
func TestTheIntervalHoldsTheTrueMedian(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	const runs = 4000
	held := 0
	for range runs {
		var pairs []Round
		for range 15 {
			pairs = append(pairs, pair(0.7*math.Exp(0.3*random.NormFloat64()), 1, 0))
		}
		if r := plan.Compare(pairs, between); r.Low <= 0.7 && 0.7 <= r.High {
			held++
		}
	}
	if share := float64(held) / runs; share < 0.90 || share > 0.99 {
		t.Errorf("the interval held the true median in %.3f of the runs, want 0.90 or a little more", share)
	}
}
