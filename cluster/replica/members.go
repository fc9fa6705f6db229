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

// Prepare returns the id of this node's replica of a shard, which it makes if
// there is none: an empty one that the shard's leader can add as a learner.
func (e *Engine) Prepare(ctx context.Context, shard core.ShardID) (core.ReplicaID, error) {
	made := make(chan core.ReplicaID, 1) // a caller that has left reads nothing
	err := e.do(ctx, func(c *core.Core) error {
		id, ending := c.Replica(shard)
		if ending {
			return ErrEnding
		}
		var err error
		if id == 0 {
			id, err = e.create(c, shard)
		}
		made <- id
		return err
	})
	if err != nil {
		return 0, err
	}
	return <-made, nil
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

// ChangeMembers is [core.Core.ChangeMembers].
func (e *Engine) ChangeMembers(ctx context.Context, shard core.ShardID, term uint64, changes []*pb.ConfChangeSingle) error {
	return e.do(ctx, func(c *core.Core) error { return c.ChangeMembers(shard, term, changes) })
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
func (e *Engine) Status(ctx context.Context, shard core.ShardID) (s core.Status, err error) {
	err = e.do(ctx, func(c *core.Core) error {
		var ok bool
		if s, ok = c.Status(shard); !ok {
			return cluster.ErrLost
		}
		return nil
	})
	return s, err
}
