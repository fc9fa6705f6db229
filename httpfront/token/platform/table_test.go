package platform

import (
	"encoding/binary"
	"testing"
	"time"
)

// TestTheMemoryIsBounded: it never holds more than its limit, what was put last
// is there, and what expired makes room first.
func TestTheMemoryIsBounded(t *testing.T) {
	var c cache
	now := time.Date(2026, 1, 2, 20, 0, 0, 0, time.UTC)
	sum := func(i int) (s [32]byte) {
		binary.BigEndian.PutUint64(s[:], uint64(i))
		return s
	}
	for i := range 2 * maxSeen {
		expires := now.Add(time.Hour)
		if i < maxSeen/2 {
			expires = now // over by the time that room is needed
		}
		c.put(sum(i), Identity{expires: expires}, 0, now)
		if _, found := c.get(sum(i), 0); !found {
			t.Fatalf("entry %d is not there after it was put", i)
		}
	}
	if len(c.entries) > maxSeen {
		t.Errorf("%d entries, want at most %d", len(c.entries), maxSeen)
	}
	over := 0
	for _, i := range c.entries {
		if !now.Before(i.expires) {
			over++
		}
	}
	if over > maxSeen/50 {
		t.Errorf("%d expired entries are still there", over)
	}
}
