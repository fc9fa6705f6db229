package actors

import (
	"sync/atomic"
	"time"
)

// unpaced is how many commands an entity is assumed to answer within the allowed wait
// until its pace is known.
const unpaced = 256

// ownSize is the memory of a command in flight without its message: the turn, and the
// slot for the answer.
const ownSize = 512

// queue counts the commands that an entity has not answered yet, and measures the pace
// at which it answers. The node has one for all of its entities.
type queue struct {
	depth atomic.Int32 // commands
	bytes atomic.Int64 // their approximate memory
	each  atomic.Int64 // nanoseconds from one answer to the next; 0: unknown
	moved atomic.Int64 // when it last answered while others waited
	// before is the number of commands that waited for the entity to be loaded. Until
	// its pace is known they do not count towards the bound.
	before atomic.Int32
}

// bound is how much may wait in a queue.
type bound struct {
	atOnce int32         // commands that are never too many
	wait   time.Duration // of the last command
	bytes  int64
}

func (q *queue) enter(size int32) (depth int32) {
	q.bytes.Add(int64(size))
	return q.depth.Add(1)
}

func (q *queue) leave(size int32) {
	q.bytes.Add(-int64(size))
	q.depth.Add(-1)
}

// observe learns from the time that a command waited for its answer. It was the depth-th
// when it came, so as many were answered meanwhile, even where one commit answers
// hundreds.
func (q *queue) observe(waited time.Duration, depth int32) {
	sample := max(int64(waited)/int64(depth), 1)
	if old := q.each.Load(); old != 0 {
		sample = max(old+(sample-old)/8, 1)
	}
	q.each.Store(sample)
}

// drain is how long depth commands take. before is how long the first 256 take while the
// pace is unknown.
func (q *queue) drain(depth int32, before time.Duration) time.Duration {
	each := time.Duration(q.each.Load())
	if each == 0 {
		each = before / unpaced
	}
	return time.Duration(depth) * each
}

// refusal says why a command is not admitted, and when another one may be.
type refusal struct {
	why   string // a label of ssod_actor_refused_total; empty: it is admitted
	after time.Duration
}

// Why a command is refused.
const (
	refusedTime     = "time"     // too long a queue
	refusedStall    = "stall"    // nothing was answered for too long
	refusedBytes    = "bytes"    // too much of the node's memory
	refusedNode     = "node"     // likewise, all entities together
	refusedEntities = "entities" // too many are in memory
)

var refusals = []string{refusedTime, refusedStall, refusedBytes, refusedNode, refusedEntities}

// room says whether the node may have one more command in flight.
func (r *Runtime) room(size int32) refusal {
	if r.queue.bytes.Load()+int64(size) > r.limits.QueueBytes {
		return refusal{refusedNode, r.queue.drain(r.queue.depth.Load()+1, r.limits.Wait)}
	}
	return refusal{}
}

// refuse answers a command that is not admitted.
func (k *kind) refuse(no refusal) answer {
	k.metrics.refusals.WithLabelValues(no.why).Inc()
	return answer{code: Code_OVERLOADED, after: no.after}
}

// overfull reports whether another command would take too much memory.
func (q *queue) overfull(b bound, size int32) bool {
	return q.depth.Load() > 0 && q.bytes.Load()+int64(size) > b.bytes
}

// admits says whether another command may wait. now is the runtime's clock.
func (q *queue) admits(b bound, size int32, now func() int64) refusal {
	depth := q.depth.Load()
	wait := q.drain(depth+1, b.wait)
	if q.each.Load() == 0 {
		wait = q.drain(max(depth-q.before.Load(), 0)+1, b.wait)
	}
	switch {
	case q.overfull(b, size):
		return refusal{refusedBytes, wait}
	case depth < b.atOnce:
		return refusal{}
	case wait > b.wait:
		return refusal{refusedTime, wait}
	}
	if still := time.Duration(now() - q.moved.Load()); still > b.wait {
		return refusal{refusedStall, max(still, wait)}
	}
	return refusal{}
}
