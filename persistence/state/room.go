package state

import "sync"

// room lets Apply wait until a flush has made room in memory.
type room struct {
	mu   sync.Mutex
	made sync.Cond
	// halted: Apply does not wait any more. refused: it was refused because of that, and
	// so are all later entries. Both are guarded by mu.
	halted, refused bool
}

func (r *room) init() { r.made.L = &r.mu }

// wake has Apply check again.
func (r *room) wake() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.made.Broadcast()
}
