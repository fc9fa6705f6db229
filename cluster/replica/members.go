package replica

import (
	"context"

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
