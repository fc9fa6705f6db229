package persistence

import "sync"

// room lets who applies wait until a flush has made room in memory.
type room struct {
	mu   sync.Mutex
	made sync.Cond
}

func (r *room) init() { r.made.L = &r.mu }

// wake lets those who wait look again.
func (r *room) wake() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.made.Broadcast()
}

// awaitRoom returns when there is room in memory for what is to be applied.
// Nobody else may refuse an entry that is committed.
func (s *Store) awaitRoom() error {
	limit := 2 * s.opts.maxDirty()
	if s.dirty.Load() < limit {
		return nil
	}
	s.room.mu.Lock()
	defer s.room.mu.Unlock()
	for s.dirty.Load() >= limit {
		if err := s.Err(); err != nil {
			return err
		}
		s.wantFlush()
		s.room.made.Wait()
	}
	return nil
}
