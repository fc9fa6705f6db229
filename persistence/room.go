package persistence

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

// Halt ends the waiting of [Log.Apply] for room in memory, before whoever flushes
// ends: it fails with [ErrClosed] where it would wait, and from then on. The entries
// are in the log.
func (l *Log) Halt() {
	r := &l.s.room
	r.mu.Lock()
	defer r.mu.Unlock()
	r.halted = true
	r.made.Broadcast()
}

// awaitRoom returns when there is room in memory for what is to be applied.
// Nobody else may refuse an entry that is committed.
func (s *Store) awaitRoom() error {
	limit, r := 2*s.opts.maxDirty(), &s.room
	r.mu.Lock()
	defer r.mu.Unlock()
	for !r.refused && s.dirty.Load() >= limit {
		if err := s.Err(); err != nil {
			return err
		}
		if r.halted {
			r.refused = true
			break
		}
		s.wantFlush()
		r.made.Wait()
	}
	if r.refused {
		return ErrClosed
	}
	return nil
}
