package transport_test

import (
	"errors"
	"strings"
	"testing"

	"ssod/cluster/transport"
	"ssod/persistence/level"
)

// knowing gives a node a version that knows format levels, in a cluster at one of them
// as far as the node knows.
func knowing(oldest, newest, at int) option {
	return func(c *transport.Config) {
		c.Levels, c.Level = level.Range{Oldest: oldest, Newest: newest}, func() int { return at }
	}
}

// TestVersionsThatShareTheLevelConnect: whatever else they know.
func TestVersionsThatShareTheLevelConnect(t *testing.T) {
	for name, other := range map[string]option{
		"the same": knowing(1, 2, 2), "a newer one": knowing(2, 9, 2), "one that has not heard of the level yet": knowing(1, 2, 1),
	} {
		t.Run(name, func(t *testing.T) {
			a, b := start(t, 1, knowing(1, 2, 2)), start(t, 2, other)
			know(t, a, b.peer)
			know(t, b, a.peer)
			connected(t, a, 2)
			connected(t, b, 1)
		})
	}
}

// TestAVersionThatDoesNotKnowTheLevelIsRefused before any frame is read, and hears why.
func TestAVersionThatDoesNotKnowTheLevelIsRefused(t *testing.T) {
	for name, old := range map[string]option{"too old": knowing(1, 1, 1), "too new": knowing(3, 4, 3)} {
		t.Run(name, func(t *testing.T) {
			refused := make(chan error, 1)
			a, b := start(t, 1, knowing(1, 2, 2)), start(t, 2, old, hearing(refused, nil))
			know(t, b, a.peer)
			b.Send(1, []byte("a frame of its own"))
			err := receive(t, "a refusal", refused)
			if !errors.Is(err, transport.ErrLevel) || !strings.Contains(err.Error(), "at format level 2") {
				t.Errorf("got %v, want that the cluster is at level 2", err)
			}
			know(t, a, b.peer) // nor is it dialed
			if a.status(2).Connected || len(a.frames) > 0 {
				t.Error("it takes part all the same")
			}
			if got := gathered(t, a, `level`)["transport_refused_total"]; got == 0 {
				t.Error("the refusal is not counted")
			}
		})
	}
}
