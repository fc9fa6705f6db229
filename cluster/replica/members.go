package replica

import (
	"context"
	"errors"

	pb "go.etcd.io/raft/v3/raftpb"

	"ssod/cluster"
	"ssod/cluster/replica/core"
)

// do runs f in a turn and returns its error.
func (e *Engine) do(ctx context.Context, f func(*core.Core) error) error {
	done := make(chan error, 1)
	e.inbox.input(func(c *core.Core) { done <- f(c) })
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	case <-e.stop:
		return errClosed
	}
}

// Create makes an empty replica of a shard on this node, which the shard's
// leader can then add as a learner.
func (e *Engine) Create(shard core.ShardID, id core.ReplicaID) error {
	return e.do(context.Background(), func(c *core.Core) error {
		r, err := e.cfg.Log.Create(shard, id, nil)
		if err != nil {
			return err
		}
		return c.Add(r)
	})
}

// ask runs f on the loop and returns what it found. A caller that has left
// shares nothing with f.
func ask[T any](ctx context.Context, e *Engine, f func(*core.Core) (T, error)) (found T, err error) {
	answer := make(chan T, 1)
	err = e.do(ctx, func(c *core.Core) error {
		v, err := f(c)
		answer <- v
		return err
	})
	if err != nil {
		return found, err
	}
	return <-answer, nil
}

// Prepare returns the id of this node's replica of a shard, which it makes if
// there is none: an empty one that the shard's leader can add as a learner.
func (e *Engine) Prepare(ctx context.Context, shard core.ShardID) (core.ReplicaID, error) {
	return ask(ctx, e, func(c *core.Core) (core.ReplicaID, error) {
		id, ending := c.Replica(shard)
		switch {
		case ending:
			return 0, ErrEnding
		case id != 0:
			return id, nil
		}
		return e.create(c, shard)
	})
}

// create makes the next replica of a shard.
func (e *Engine) create(c *core.Core, shard core.ShardID) (core.ReplicaID, error) {
	id, err := e.cfg.Log.NextReplica(shard, e.cfg.Node)
	if err != nil {
		return 0, err
	}
	r, err := e.cfg.Log.Create(shard, id, nil)
	if err != nil {
		return 0, err
	}
	return id, c.Add(r)
}

// ErrEnding says that the replica that was there is still being removed.
var ErrEnding = errors.New("the replica is being removed")

// Remove destroys this node's replica of a shard. The caller knows that it is
// no member any more.
func (e *Engine) Remove(ctx context.Context, shard core.ShardID) error {
	return e.do(ctx, func(c *core.Core) error {
		c.Remove(shard)
		return nil
	})
}

// ChangeMembers is [core.Core.ChangeMembers] of a shard that has the members that
// it had when the caller decided. With others the changes would mean something
// else.
func (e *Engine) ChangeMembers(ctx context.Context, decided core.Status, changes []*pb.ConfChangeSingle) error {
	return e.do(ctx, func(c *core.Core) error {
		now, ok := c.Status(decided.Shard)
		if !ok || now.Applied.Conf.Equivalent(decided.Applied.Conf) != nil {
			return core.ErrConfChange
		}
		return c.ChangeMembers(decided.Shard, decided.Term, changes)
	})
}

// Transfer is [core.Core.Transfer].
func (e *Engine) Transfer(ctx context.Context, shard core.ShardID, to core.ReplicaID) error {
	return e.do(ctx, func(c *core.Core) error {
		c.Transfer(shard, to)
		return nil
	})
}

// Status returns what is known of a shard's replica here, [cluster.ErrLost]
// when there is none.
func (e *Engine) Status(ctx context.Context, shard core.ShardID) (core.Status, error) {
	return ask(ctx, e, func(c *core.Core) (core.Status, error) {
		s, ok := c.Status(shard)
		if !ok {
			return s, cluster.ErrLost
		}
		return s, nil
	})
}
