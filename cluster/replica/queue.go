package replica

import (
	"sync"

	"ssod/cluster/wait"
)

// queue holds jobs. It is bounded by what raft has in flight.
type queue[T any] struct {
	mu   sync.Mutex
	jobs []T
	wake wait.Signal

	// first is the tick at which the oldest of jobs came; taken is that at which those
	// under way were taken, if doing.
	first, taken uint64
	doing        bool
}

// put adds a job at a tick; [queue.nudge] wakes the goroutine that does it.
func (q *queue[T]) put(j T, tick uint64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.jobs) == 0 {
		q.first = tick
	}
	q.jobs = append(q.jobs, j)
}

// take removes all jobs at a tick; there may be none. If there are any, the caller must
// call [queue.done] before the next take.
func (q *queue[T]) take(tick uint64) []T {
	q.mu.Lock()
	defer q.mu.Unlock()
	jobs := q.jobs
	if len(jobs) > 0 {
		q.jobs, q.taken, q.doing = nil, tick, true
	}
	return jobs
}

// done notes that the jobs taken last are done.
func (q *queue[T]) done() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.doing = false
}

// age is how many ticks ago the jobs under way were taken; without those, how long the
// oldest has waited; 0 when there are none.
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
		q.wake.Send()
	}
}
