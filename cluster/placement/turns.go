package placement

import (
	"bytes"
	"sync"
	"time"
)

// turns remember the claimants of names on the leader of the meta shard: two processes that
// ask for one name in turn would void each other's claims for ever.
type turns struct {
	mu   sync.Mutex
	last map[NodeID]turn
}

type turn struct {
	claimant []byte
	at       time.Time
}

// turnFor is how long a claimant that does not ask again keeps others waiting.
const turnFor = 3 * time.Second

// take lets claimant begin to take a node's place.
func (t *turns) take(n NodeID, claimant []byte, now time.Time) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	last, ok := t.last[n]
	if ok && now.Sub(last.at) < turnFor && !bytes.Equal(last.claimant, claimant) {
		return object("another process asks for the same name: stop one of the two")
	}
	for id, old := range t.last {
		if now.Sub(old.at) >= turnFor {
			delete(t.last, id)
		}
	}
	if t.last == nil {
		t.last = map[NodeID]turn{}
	}
	t.last[n] = turn{claimant, now}
	return nil
}
