package local

import (
	"fmt"
	"sync"

	"ssod/cluster"
)

// Bounds of one round: more commits share no more work, and a large batch
// delays those that come after it.
const (
	maxRound      = 1024
	maxRoundBytes = 4 << 20
)

// queue holds the commits that wait for the next round.
type queue struct {
	mu       sync.Mutex
	waiting  []*pending
	bytes    int
	closed   bool
	max      int
	maxBytes int
	wake     chan struct{} // has room for one signal
}

func newQueue(length, bytes int) queue {
	return queue{max: length, maxBytes: bytes, wake: make(chan struct{}, 1)}
}

// add queues p or refuses it at once.
func (q *queue) add(p *pending) error {
	q.mu.Lock()
	switch {
	case q.closed:
		q.mu.Unlock()
		return fmt.Errorf("%w: %w", cluster.ErrRefused, cluster.ErrLost)
	case len(q.waiting) >= q.max, len(q.waiting) > 0 && q.bytes+p.size > q.maxBytes:
		q.mu.Unlock()
		return fmt.Errorf("%w: too many commits are waiting", cluster.ErrRefused)
	}
	first := len(q.waiting) == 0
	q.waiting = append(q.waiting, p)
	q.bytes += p.size
	q.mu.Unlock()
	if first {
		q.signal()
	}
	return nil
}

func (q *queue) signal() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

// take moves the commits of the next round to the end of into. It returns false
// when the queue is closed.
func (q *queue) take(into []*pending) ([]*pending, bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	n, bytes := 0, 0
	for n < len(q.waiting) && n < maxRound && bytes < maxRoundBytes {
		bytes += q.waiting[n].size
		n++
	}
	into = append(into, q.waiting[:n]...)
	rest := copy(q.waiting, q.waiting[n:])
	clear(q.waiting[rest:])
	q.waiting = q.waiting[:rest]
	q.bytes -= bytes
	return into, !q.closed
}

// close refuses further commits and returns those that wait.
func (q *queue) close() []*pending {
	q.mu.Lock()
	defer q.mu.Unlock()
	left := q.waiting
	q.waiting, q.bytes, q.closed = nil, 0, true
	q.signal()
	return left
}
