package sso_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// crops are the shares of the fastest samples that are compared. Most of what a
// machine does meanwhile makes a request slower, never faster, so the slow end
// is noise; how much of it is not known beforehand. Reparaz, Balasch and
// Verbauwhede, "Dude, is my code constant time?", section 3, crop so for the
// same reason.
var crops = []float64{0.5, 0.8, 0.95}

// welch is the largest t of Welch's test between two classes, over the crops.
// The limit of a crop is taken from both classes together: cutting each at its
// own would hide that one is slower.
func welch(a, b []time.Duration) (t float64) {
	all := slices.Sorted(slices.Values(slices.Concat(a, b)))
	for _, share := range crops {
		limit := all[int(share*float64(len(all)))]
		if one := cropped(a, limit).distance(cropped(b, limit)); math.Abs(one) > math.Abs(t) {
			t = one
		}
	}
	return t
}

// moments are the count, mean and variance of samples, in nanoseconds.
type moments struct{ n, mean, variance float64 }

// cropped are the moments of the samples up to a limit.
func cropped(samples []time.Duration, limit time.Duration) (m moments) {
	var squares float64 // of the distances to the mean; Welford
	for _, s := range samples {
		if s > limit {
			continue
		}
		m.n++
		d := float64(s) - m.mean
		m.mean += d / m.n
		squares += d * (float64(s) - m.mean)
	}
	m.variance = squares / (m.n - 1)
	return m
}

func (m moments) distance(o moments) float64 {
	return (m.mean - o.mean) / math.Sqrt(m.variance/m.n+o.variance/o.n)
}

func median(samples []time.Duration) time.Duration {
	return slices.Sorted(slices.Values(samples))[len(samples)/2]
}

// TestWelch compares samples of one kind with each other, and with some that
// take 2 % longer, all with a noisy tail.
func TestWelch(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	draw := func(mean float64) (samples []time.Duration) {
		for range 10_000 {
			s := mean + 2000*random.NormFloat64()
			if random.IntN(20) == 0 {
				s += 1e6 * random.ExpFloat64()
			}
			samples = append(samples, time.Duration(s))
		}
		return samples
	}
	if got := welch(draw(20_000), draw(20_000)); math.Abs(got) >= leak {
		t.Errorf("the same: t = %.2f, want less than %.1f", got, leak)
	}
	if got := welch(draw(20_400), draw(20_000)); got < leak {
		t.Errorf("2 %% slower: t = %.2f, want more than %.1f", got, leak)
	}
}
