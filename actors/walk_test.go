package actors_test

import (
	"testing"
	"time"

	"ssod/actors"
)

// TestARoundOfTheSweepTakesAWhile covers stores with little in them: there the
// places cost, not the heads.
func TestARoundOfTheSweepTakesAWhile(t *testing.T) {
	for _, tt := range []struct {
		step   time.Duration
		places int
		want   int
	}{
		{50 * time.Millisecond, 4 * 64, 2},
		{50 * time.Millisecond, 4 * 4096, 163},
		{50 * time.Millisecond, 3, 1},
		{time.Millisecond, 256, 1},
	} {
		got := actors.PlacesIn(tt.step, tt.places)
		if got != tt.want {
			t.Errorf("%d places in steps of %v: got %d a step, want %d", tt.places, tt.step, got, tt.want)
		}
		if round := time.Duration(tt.places/got) * tt.step; tt.places >= 256 && tt.step == 50*time.Millisecond && round < 5*time.Second {
			t.Errorf("%d places: a round takes %v, want 5 s at least", tt.places, round)
		}
	}
}
