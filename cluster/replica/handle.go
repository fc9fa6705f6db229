package replica

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"ssod/cluster"
	"ssod/cluster/replica/core"
)

// handle implements [cluster.Shard].
type handle struct {
	e     *Engine
	shard core.ShardID
	term  uint64
	lost  chan struct{}
	era   uint64
	// led is the leadership, whose voters change.
	led atomic.Pointer[core.Leadership]
	// limit is the latest time that the clocks allow, less the time since the engine was
	// opened, in nanoseconds.
	limit atomic.Int64
	left  left
}

func newHandle(e *Engine, l core.Leadership) *handle {
	h := &handle{e: e, shard: l.Shard, term: l.Term, era: l.Era, lost: make(chan struct{})}
	h.led.Store(&l)
	h.limit.Store(noLimit)
	h.heed(e.core)
	return h
}

func (h *handle) end() { close(h.lost) }

func (h *handle) ID() cluster.ShardID   { return h.shard }
func (h *handle) Term() uint64          { return h.term }
func (h *handle) Lost() <-chan struct{} { return h.lost }

// Commit encodes c on the caller's goroutine, puts it into the inbox and waits.
func (h *handle) Commit(ctx context.Context, c cluster.Commit) error {
	if err := h.admit(ctx, &c); err != nil {
		return fmt.Errorf("%w: %w", cluster.ErrRefused, err)
	}
	start := time.Now()
	p := newPending(h, &c)
	if !h.e.inbox.propose(&p.proposal) {
		return fmt.Errorf("%w: %w", cluster.ErrRefused, cluster.ErrLost)
	}
	h.wake()
	select {
	case err := <-p.done:
		answers.Put(p.done)
		h.e.meters.seconds.Observe(time.Since(start).Seconds())
		return outcome(err)
	case <-ctx.Done():
		return h.leave(p, ctx.Err())
	}
}

// wake wakes the goroutine that proposes: with other voters the loop, since they should
// have the commit before this node's disk; on a single voter the append goroutine, which
// if busy finds the commit later, unless the loop's next tick does.
func (h *handle) wake() {
	if h.sole() {
		h.e.appends.wake.Send()
	} else {
		h.e.inbox.wake.Send()
	}
}

func (h *handle) admit(ctx context.Context, c *cluster.Commit) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := c.Validate(); err != nil {
		return err
	}
	return h.e.cfg.Log.Admit(c.Size())
}

// outcome translates the core's errors into those of package cluster.
func outcome(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, core.ErrRejected):
		return cluster.ErrRejected
	case errors.Is(err, core.ErrUnknown):
		return cluster.ErrUnknown
	}
	return cluster.ErrRefused
}

// TryBarrier is ReadBarrier where it is free.
func (h *handle) TryBarrier() bool { return h.sole() && !h.over() }

func (h *handle) sole() bool { return h.led.Load().Sole }

// Vouched is ReadBarrier for a read that comes with another node's voucher, given after
// the read began.
func (h *handle) Vouched(v cluster.Voucher) bool {
	return h.led.Load().Vouched(core.Followed{Shard: h.shard, Term: v.Term, Replica: core.ReplicaID(v.Replica)}) && !h.over()
}

func (h *handle) over() bool {
	select {
	case <-h.lost:
		return true
	default:
		return false
	}
}

// Now is not later than the clocks allowed at the core's last tick: nothing later could
// be committed.
func (h *handle) Now() time.Time {
	now, shard := h.e.cfg.Clock(), h.e.cfg.State.Time(h.shard)
	if limit := h.limit.Load(); limit != noLimit {
		if latest := time.Unix(0, limit).Add(time.Since(h.e.opened)); now.After(latest) {
			now = latest
		}
	}
	if now.Before(shard) {
		return shard // shard time never goes back
	}
	return now
}

// Confirmed implements [cluster.Shard].
func (h *handle) Confirmed() time.Time { return h.e.cfg.Confirmed() }

// Reads of an entity wait for commits of it whose callers have left, so that an entity
// that is loaded again does not miss them.

func (h *handle) Head(e cluster.Entity) (cluster.Head, bool, error) {
	h.left.wait(e)
	return h.e.cfg.State.Head(h.shard, e)
}

func (h *handle) Records(e cluster.Entity, f func(part, value []byte) bool) error {
	h.left.wait(e)
	return h.e.cfg.State.Records(h.shard, e, f)
}

func (h *handle) Outcome(e cluster.Entity, r cluster.RequestID, step uint32) ([]byte, bool, error) {
	h.left.wait(e)
	return h.e.cfg.State.Outcome(h.shard, e, r, step)
}

func (h *handle) Entities(kind, after string, f func(identity string, h cluster.Head) bool) error {
	h.left.waitAll()
	return h.e.cfg.State.Entities(h.shard, kind, after, f)
}

func (h *handle) Posted() uint64 { return h.e.cfg.State.Posted(h.shard) }

func (h *handle) Receivers(space byte) ([]uint64, error) {
	return h.e.cfg.State.Receivers(h.shard, space)
}

func (h *handle) Events(space byte, receiver, after uint64, f func(key cluster.EventKey, body []byte) bool) error {
	return h.e.cfg.State.Events(h.shard, space, receiver, after, f)
}
