package replica

import (
	"sync"

	"ssod/cluster/replica/core"
)

// inbox is what waits for a turn. Callers wait for their own answers, which
// bounds it; frames are bounded by maxFrames.
type inbox struct {
	mu        sync.Mutex
	closed    bool
	proposals []*core.Proposal
	barriers  []*core.Barrier
	inputs    []func(*core.Core)
	frames    int
	wake      signal // for the loop
}

// maxFrames is how many frames may wait; a node that is so far behind loses
// more, as it would on the network.
const maxFrames = 1024

func (b *inbox) init() { b.wake = newSignal() }

// propose queues a commit and wakes nobody; false when the engine is closed.
func (b *inbox) propose(p *core.Proposal) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return false
	}
	b.proposals = append(b.proposals, p)
	return true
}

// proposed reports whether commits wait.
func (b *inbox) proposed() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.proposals) > 0
}

func (b *inbox) barrier(r *core.Barrier) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return false
	}
	b.barriers = append(b.barriers, r)
	b.wake.send()
	return true
}

// input queues anything else.
func (b *inbox) input(f func(*core.Core)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.closed {
		b.inputs = append(b.inputs, f)
		b.wake.send()
	}
}

// frame queues a frame's messages unless too many wait.
func (b *inbox) frame(f func(*core.Core)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed || b.frames == maxFrames {
		return
	}
	b.frames++
	b.inputs = append(b.inputs, f)
	b.wake.send()
}

// drain hands everything to the core.
func (b *inbox) drain(c *core.Core) {
	b.mu.Lock()
	ps, rs, fs := b.proposals, b.barriers, b.inputs
	b.proposals, b.barriers, b.inputs, b.frames = nil, nil, nil, 0
	b.mu.Unlock()
	for _, f := range fs {
		f(c)
	}
	for _, p := range ps {
		c.Propose(p)
	}
	for _, r := range rs {
		c.Barrier(r)
	}
}

func (b *inbox) close(c *core.Core) {
	b.mu.Lock()
	b.closed = true
	b.mu.Unlock()
	b.drain(c)
}
