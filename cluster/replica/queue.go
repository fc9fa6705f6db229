package replica

import "sync"

// queue hands jobs from the loop to a writer, which takes all that wait at
// once. It is bounded by what raft has in flight.
type queue[T any] struct {
	mu     sync.Mutex
	filled sync.Cond
	jobs   []T
	closed bool
}

func (q *queue[T]) init() { q.filled.L = &q.mu }

func (q *queue[T]) put(j T) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.jobs = append(q.jobs, j)
	q.filled.Signal()
}

// take waits for jobs and returns all of them; nil when the queue is closed and
// empty.
func (q *queue[T]) take() []T {
	q.mu.Lock()
	defer q.mu.Unlock()
	for len(q.jobs) == 0 && !q.closed {
		q.filled.Wait()
	}
	jobs := q.jobs
	q.jobs = nil
	return jobs
}

func (q *queue[T]) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	q.filled.Broadcast()
}
