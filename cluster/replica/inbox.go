package replica

import (
	"sync"

	"ssod/cluster/replica/core"
	"ssod/cluster/wait"
)

// inbox is what waits for a turn. It is bounded because callers wait for their answers;
// frames are bounded by maxFrames and maxFrameBytes.
type inbox struct {
	mu     sync.Mutex
	closed bool
	queued arrivals
	frames int         // of them
	bytes  int         // of the frames
	wake   wait.Signal // for the loop

	// spare is room for the next ones. It is used under the turn.
	spare arrivals
}

// arrivals are inputs, each kind in order.
type arrivals struct {
	proposals []*core.Proposal
	barriers  []*core.Barrier
	inputs    []input
}

// input is a frame's messages, or anything else to be done with the core.
type input struct {
	from     core.NodeID
	messages []core.Envelope
	size     int              // of the frame in bytes
	do       func(*core.Core) // nil: the messages are received
}

// How many frames may wait, and how many bytes of them; more are lost, as they may be on
// the network. One frame alone is taken whatever its size.
const (
	maxFrames     = 1024
	maxFrameBytes = core.MaxFrame
)

// propose queues a commit without waking a goroutine; false when the engine is closed.
func (b *inbox) propose(p *core.Proposal) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return false
	}
	b.queued.proposals = append(b.queued.proposals, p)
	return true
}

// proposed reports whether commits wait.
func (b *inbox) proposed() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.queued.proposals) > 0
}

func (b *inbox) barrier(r *core.Barrier) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return false
	}
	b.queued.barriers = append(b.queued.barriers, r)
	b.wake.Send()
	return true
}

// input queues anything else.
func (b *inbox) input(f func(*core.Core)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.closed {
		b.queued.inputs = append(b.queued.inputs, input{do: f})
		b.wake.Send()
	}
}

// frame queues the contents of a frame, unless too many wait, without waking a goroutine.
func (b *inbox) frame(in input) {
	b.mu.Lock()
	defer b.mu.Unlock()
	full := b.frames == maxFrames || b.frames > 0 && b.bytes+in.size > maxFrameBytes
	if b.closed || full {
		return
	}
	b.frames, b.bytes = b.frames+1, b.bytes+in.size
	b.queued.inputs = append(b.queued.inputs, in)
}

// drain hands everything to the core. The caller has the turn.
func (b *inbox) drain(c *core.Core) {
	b.mu.Lock()
	now := b.queued
	b.queued, b.frames, b.bytes = b.spare, 0, 0
	b.mu.Unlock()
	for _, in := range now.inputs {
		if in.do != nil {
			in.do(c)
		} else {
			c.Receive(in.from, in.messages)
		}
	}
	for _, p := range now.proposals {
		c.Propose(p)
	}
	for _, r := range now.barriers {
		c.Barrier(r)
	}
	b.spare = now.emptied()
}

// maxSpare bounds the room that is kept.
const maxSpare = 1024

func (a arrivals) emptied() arrivals {
	return arrivals{emptied(a.proposals), emptied(a.barriers), emptied(a.inputs)}
}

func emptied[T any](s []T) []T {
	if cap(s) > maxSpare {
		return nil
	}
	clear(s)
	return s[:0]
}

func (b *inbox) close(c *core.Core) {
	b.mu.Lock()
	b.closed = true
	b.mu.Unlock()
	b.drain(c)
}
