package replica

import (
	"context"
	"errors"
	"math"
	"time"

	"ssod/cluster"
	"ssod/cluster/replica/core"
)

// noLimit is the limit of a sole voter.
const noLimit = math.MaxInt64

// tick is the core's tick. Handles learn then what the clocks allow.
func (e *Engine) tick(c *core.Core) {
	c.Tick()
	e.sends.hasten(c, e.cfg.Tick)
	e.ahead.Store(int64(c.Ahead()))
	for i := range e.views.shards {
		if v := e.views.shards[i].Load(); v != nil && v.handle != nil {
			v.handle.heed(c)
		}
	}
}

// heed notes the latest time that the clocks allow. While too few are known the limit
// stays: nothing can be committed meanwhile.
func (h *handle) heed(c *core.Core) {
	ms, known := c.Bound(h.shard)
	switch {
	case !known:
	case ms > math.MaxInt64/uint64(time.Millisecond):
		h.limit.Store(noLimit)
	default:
		h.limit.Store(int64(ms)*int64(time.Millisecond) - int64(time.Since(h.e.opened)))
	}
}

// Ahead is [core.Core.Ahead] at the last tick.
func (e *Engine) Ahead() time.Duration { return time.Duration(e.ahead.Load()) }

// Reset is [core.Core.Reset] of a shard that this node leads. It fails with
// [cluster.ErrLost] when the node does not lead it, with [cluster.ErrRefused] when nothing
// was done, or with [cluster.ErrUnknown].
func (e *Engine) Reset(ctx context.Context, shard core.ShardID) error {
	if _, leads := e.Lead(shard); !leads {
		return cluster.ErrLost
	}
	done := make(chan error, 1)
	e.inbox.input(func(c *core.Core) {
		c.Reset(&core.Reset{Shard: shard, Done: func(err error) { done <- err }})
	})
	select {
	case err := <-done:
		return outcome(err)
	case <-ctx.Done():
		return errors.Join(cluster.ErrUnknown, ctx.Err())
	case <-e.stop:
		return errors.Join(cluster.ErrUnknown, errClosed)
	}
}

// TimeLead counts the shards whose time is ahead of this node's clock by more than
// [core.Tolerance], and returns the largest lead.
func (e *Engine) TimeLead() (most time.Duration, shards int) {
	now := e.cfg.Clock()
	for id := range cluster.ShardID(e.Count() + 1) {
		if lead := e.cfg.State.Time(id).Sub(now); lead > core.Tolerance {
			most, shards = max(most, lead), shards+1
		}
	}
	return most, shards
}
