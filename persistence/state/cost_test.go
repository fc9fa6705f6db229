package state

import (
	"fmt"
	"runtime"
	"testing"

	"ssod/persistence/data"
)

// TestCostOfApplying: what is applied is not copied. An entity that is changed the
// first time since a flush takes two allocations, and one that was changed none,
// besides a few for the entry and those of others that run meanwhile.
func TestCostOfApplying(t *testing.T) {
	const entities, size = 64, 4 << 10
	s := open(t, options{})
	at, rev := s.Applied(1).Position, uint64(0)
	// apply applies an entry that changes every entity and says what that takes.
	apply := func() (allocs uint64) {
		at.Index++
		c := data.Change{Shard: 1, Position: at}
		for i := range entities {
			c.Commits = append(c.Commits, data.Commit{
				Entity: data.Entity{Kind: "profile", Identity: fmt.Sprint("viewer-", i)}, BaseRev: rev, State: make([]byte, size),
				Outcomes: []data.Outcome{{Request: answered(rev<<8 | uint64(i)), Result: []byte("result")}},
			})
		}
		rev++
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := s.Apply([]data.Change{c})
		runtime.ReadMemStats(&after)
		if err != nil {
			t.Fatal(err)
		}
		return after.Mallocs - before.Mallocs
	}
	for range 20 {
		apply()
	}
	flushAll(t, s) // there is room for 20 entries afterwards
	if got := apply(); got > 3*entities {
		t.Errorf("%d allocations for an entry of %d entities that were flushed", got, entities)
	}
	if got := apply(); got > entities {
		t.Errorf("%d allocations for an entry of %d entities that were changed before", got, entities)
	}
	if got, want := s.dirty.Load(), int64(entities*(size+1<<10)); got > want {
		t.Errorf("%d bytes are counted for %d states, want at most %d", got, entities, want)
	}
}
