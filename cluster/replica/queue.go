package replica

import "sync"

// queue holds jobs until somebody does them. It is bounded by what raft has in
// flight.
type queue[T any] struct {
	mu   sync.Mutex
	jobs []T
	wake signal
}

// put adds a job and wakes nobody: see [queue.nudge].
func (q *queue[T]) put(j T) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.jobs = append(q.jobs, j)
}

// take removes all jobs; there may be none.
func (q *queue[T]) take() []T {
	q.mu.Lock()
	defer q.mu.Unlock()
	jobs := q.jobs
	q.jobs = nil
	return jobs
}

func (q *queue[T]) waiting() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.jobs) > 0
}

// nudge wakes the goroutine that does the jobs if there are any.
func (q *queue[T]) nudge() {
	if q.waiting() {
		q.wake.send()
	}
}

// signal wakes one goroutine. One that comes while another is still there is
// the same.
type signal chan struct{}

func newSignal() signal { return make(signal, 1) }

func (s signal) send() {
	select {
	case s <- struct{}{}:
	default:
	}
}
