package transport

import (
	"sync"

	"ssod/cluster/wait"
)

// queue holds the frames that wait for one peer. It is bounded in bytes, and takes nothing
// while it is shut.
type queue struct {
	limit int
	wake  wait.Signal

	mu     sync.Mutex
	open   bool
	frames [][]byte
	bytes  int // of the frames that wait and of those that are being written
}

func newQueue(limit int) *queue {
	return &queue{limit: limit, wake: wait.NewSignal()}
}

// put queues a frame. It reports whether the queue is open and whether there
// was room; a single frame always has room.
func (q *queue) put(frame []byte) (open, ok bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if !q.open {
		return false, false
	}
	if q.bytes > 0 && q.bytes+len(frame) > q.limit {
		return true, false
	}
	q.frames = append(q.frames, frame)
	q.bytes += len(frame)
	q.wake.Send()
	return true, true
}

// take returns all frames that wait. It uses spare for the next ones.
func (q *queue) take(spare [][]byte) [][]byte {
	q.mu.Lock()
	defer q.mu.Unlock()
	frames := q.frames
	q.frames = spare[:0]
	return frames
}

// written frees n bytes.
func (q *queue) written(n int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.bytes -= n
}

// set opens or shuts the queue, which is empty then.
func (q *queue) set(open bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.open, q.frames, q.bytes = open, nil, 0
}

// waiting counts the bytes that wait.
func (q *queue) waiting() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.bytes
}
