package faulty

import (
	"context"
	"fmt"
	"time"

	"ssod/cluster"
	"ssod/cluster/wait"
)

// handle is a node's lead of a shard in one term. It implements
// [cluster.Shard].
type handle struct {
	shard *shard
	node  *Node
	term  uint64
	lost  chan struct{}
	old   *state // what a usurped owner still sees; guarded by Truth.mu
}

func (h *handle) ID() cluster.ShardID   { return h.shard.id }
func (h *handle) Term() uint64          { return h.term }
func (h *handle) Lost() <-chan struct{} { return h.lost }

// end makes the end of the term known; Truth.mu is held.
func (h *handle) end() {
	h.old = nil
	close(h.lost)
}

// leads reports whether the handle's term is the current one; Truth.mu is held.
func (h *handle) leads() bool {
	return h.shard.leader == h.node && h.shard.term == h.term
}

// view is what the handle's reads see; Truth.mu is held.
func (h *handle) view() *state {
	if h.old != nil {
		return h.old
	}
	return h.shard.state
}

// Commit meets the fault that the plan has for it.
func (h *handle) Commit(ctx context.Context, c cluster.Commit) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("%w: %w", cluster.ErrRefused, err)
	}
	if err := c.Validate(); err != nil {
		return fmt.Errorf("%w: %w", cluster.ErrRefused, err)
	}
	t := h.node.truth
	t.mu.Lock()
	fault := t.nextCommit(h.shard.id, &c)
	n := t.commits
	t.mu.Unlock()
	waited := t.wait(ctx, fault, h.lost)
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case waited != nil && fault == Hold:
		return unknown(fault)
	case !h.leads():
		return h.deposed(waited, fault, n)
	case waited != nil: // Delay, and the context ended: written, but not reported
		h.apply(c)
		return unknown(fault)
	}
	return h.commit(c, fault)
}

// deposed answers a commit of a handle whose term is over. It is not written;
// whether the owner can know that changes with n.
func (h *handle) deposed(waited error, fault Fault, n int) error {
	select {
	case <-h.lost:
		if waited == nil && fault != Delay && fault != Hold {
			return fmt.Errorf("%w: %w", cluster.ErrRefused, cluster.ErrLost)
		}
	default:
		if n%2 == 0 {
			return fmt.Errorf("%w: deposed", cluster.ErrRefused)
		}
	}
	return fmt.Errorf("%w: deposed", cluster.ErrUnknown)
}

// commit carries out c and the fault; Truth.mu is held.
func (h *handle) commit(c cluster.Commit, fault Fault) error {
	switch fault {
	case Refuse:
		return fmt.Errorf("%w: injected", cluster.ErrRefused)
	case Reject:
		if !h.shard.state.bump(c.Entity) {
			return fmt.Errorf("%w: injected", cluster.ErrRefused)
		}
		return cluster.ErrRejected
	case UnknownDone:
		h.apply(c)
		return unknown(fault)
	case UnknownNotDone:
		return unknown(fault)
	case Flap:
		h.flap()
		return fmt.Errorf("%w: %w", cluster.ErrRefused, cluster.ErrLost)
	case FlapDone:
		h.apply(c)
		h.flap()
		return unknown(fault)
	}
	return h.apply(c)
}

func unknown(f Fault) error { return fmt.Errorf("%w: injected %v", cluster.ErrUnknown, f) }

func (h *handle) apply(c cluster.Commit) error {
	return h.shard.state.apply(c, h.node.truth.options.Clock())
}

// flap begins a new term; Truth.mu is held, and is released while watchers are called.
func (h *handle) flap() {
	t := h.node.truth
	t.flap(h.shard)
	t.mu.Unlock()
	t.notify(h.shard.id)
	t.mu.Lock()
}

// wait is where Delay and Hold spend their time. It returns an error when the
// context or the term ended first; a delay goes on when only the term ends.
func (t *Truth) wait(ctx context.Context, fault Fault, lost <-chan struct{}) error {
	switch fault {
	case Delay:
		return wait.Pause(ctx, t.options.Delay)
	case Hold:
		select {
		case <-t.released:
		case <-lost:
			return cluster.ErrLost
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// ReadBarrier fails on a handle that was deposed, whether it knows or not.
func (h *handle) ReadBarrier(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	t := h.node.truth
	t.mu.Lock()
	fault := t.nextBarrier(h.shard.id)
	t.mu.Unlock()
	if err := t.wait(ctx, fault, h.lost); err != nil {
		return err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if h.leads() && fault == Flap {
		h.flap()
	}
	if !h.leads() {
		return cluster.ErrLost
	}
	return nil
}

func (h *handle) Now() time.Time {
	t := h.node.truth
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.options.Clock()
	if s := h.view().time; now.Before(s) {
		return s
	}
	return now
}

// Confirmed implements [cluster.Shard]: the clock never leaps unless the options
// say so.
func (h *handle) Confirmed() time.Time {
	if confirmed := h.node.truth.options.Confirmed; confirmed != nil {
		return confirmed()
	}
	return h.Now()
}
