package actors_test

import (
	"errors"
	"testing"

	"ssod/actors"
	"ssod/cluster/faulty"
)

// TestAKindBeginsAtALevel: below it nobody is asked, and nothing is written.
func TestAKindBeginsAtALevel(t *testing.T) {
	at := 1
	shards := faulty.New(faulty.Options{}).Node("a:1")
	r := start(t, shards, &probe{}, func(c *actors.Config) {
		c.Kinds[0].Level = 2
		c.Level = func() int { return at }
	})
	for range 2 {
		_, err := r.Ask(t.Context(), address("a"), request(1), 0, add(1))
		var is *actors.LevelError
		if !errors.As(err, &is) || *is != (actors.LevelError{Kind: "counter", Has: 1, Need: 2}) {
			t.Fatalf("at level 1: got %v, want a LevelError", err)
		}
		if !errors.Is(err, actors.ErrLevel) || !errors.Is(err, actors.ErrUnavailable) || errors.Is(err, actors.ErrUnknown) {
			t.Errorf("at level 1: %v is not a refusal without an effect", err)
		}
		r.Tell(address("a"), request(2), 0, add(1))
	}
	at = 2
	if got := total(ask(t, r, address("a"), request(1), add(1))); got != 1 {
		t.Errorf("at level 2: the total is %d, want 1", got)
	}
}
