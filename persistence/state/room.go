package state

import "sync"

// room lets who applies wait until a flush has made room in memory.
type room struct {
	mu   sync.Mutex
	made sync.Cond
	// halted: nobody waits any more. refused: somebody was turned away because of
	// that, and what comes after it in order is, too. Both are guarded by mu.
	halted, refused bool
}

func (r *room) init() { r.made.L = &r.mu }

// wake lets those who wait look again.
func (r *room) wake() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.made.Broadcast()
}
