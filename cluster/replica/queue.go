package replica

import "sync"

// queue holds jobs until somebody does them. It is bounded by what raft has in
// flight.
type queue[T any] struct {
	mu   sync.Mutex
	jobs []T
	wake signal

	// first is the tick at which the oldest of jobs came; taken is that of the
	// oldest that is being done, if doing.
	first, taken uint64
	doing        bool
}

// put adds a job at a tick and wakes nobody: see [queue.nudge].
func (q *queue[T]) put(j T, tick uint64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.jobs) == 0 {
		q.first = tick
	}
	q.jobs = append(q.jobs, j)
}

// take removes all jobs; there may be none. If there are any, the caller reports
// that they are done with [queue.done], before anybody takes more.
func (q *queue[T]) take() []T {
	q.mu.Lock()
	defer q.mu.Unlock()
	jobs := q.jobs
	if len(jobs) > 0 {
		q.jobs, q.taken, q.doing = nil, q.first, true
	}
	return jobs
}

// done notes that what was taken last is done.
func (q *queue[T]) done() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.doing = false
}

// age is for how many ticks the oldest job has not been done; 0 when all are.
func (q *queue[T]) age(now uint64) uint64 {
	q.mu.Lock()
	defer q.mu.Unlock()
	switch {
	case q.doing:
		return now - min(q.taken, now)
	case len(q.jobs) > 0:
		return now - min(q.first, now)
	}
	return 0
}

// idle reports whether there is no job, neither waiting nor being done.
func (q *queue[T]) idle() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return !q.doing && len(q.jobs) == 0
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
