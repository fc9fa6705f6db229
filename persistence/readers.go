package persistence

import "sync"

// readers counts reads: closing the store waits for them. A read may begin another, which
// would deadlock with a read-write lock.
type readers struct {
	mu     sync.Mutex
	idle   sync.Cond
	count  int
	closed bool
}

func (r *readers) init() { r.idle.L = &r.mu }

// enter begins a read; leave must follow unless it fails.
func (r *readers) enter() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return ErrClosed
	}
	r.count++
	return nil
}

func (r *readers) leave() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.count--; r.count == 0 {
		r.idle.Broadcast()
	}
}

// close refuses further reads and waits for those that have begun.
func (r *readers) close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed = true
	for r.count > 0 {
		r.idle.Wait()
	}
}
