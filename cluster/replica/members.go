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

// Create creates an empty replica of a shard on this node, which the shard's leader can
// then add as a learner.
func (e *Engine) Create(shard core.ShardID, id core.ReplicaID) error {
	_, err := e.make(context.Background(), shard, func() (core.ReplicaID, error) { return id, nil })
	return err
}

// ask runs f in a turn and returns its result. It shares nothing with f if it returns
// early.
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

// Prepare returns the id of this node's replica of a shard. If there is none it creates
// one as [Engine.Create] does.
func (e *Engine) Prepare(ctx context.Context, shard core.ShardID) (core.ReplicaID, error) {
	id, err := ask(ctx, e, func(c *core.Core) (core.ReplicaID, error) {
		id, ending := c.Replica(shard)
		if ending || e.changing[shard] {
			return 0, ErrEnding
		}
		return id, nil
	})
	if err != nil || id != 0 {
		return id, err
	}
	return e.make(ctx, shard, func() (core.ReplicaID, error) { return e.cfg.Log.NextReplica(shard, e.cfg.Node) })
}

// ErrEnding says that a replica of the shard is being created or removed.
var ErrEnding = errors.New("the replica is being created or removed")

// make creates a replica of a shard that has none, outside the turn, because the disk may
// be slow.
func (e *Engine) make(ctx context.Context, shard core.ShardID, name func() (core.ReplicaID, error)) (core.ReplicaID, error) {
	type made struct {
		id  core.ReplicaID
		err error
	}
	done := make(chan made, 1)
	err := e.do(ctx, func(c *core.Core) error {
		if e.changing[shard] {
			return ErrEnding
		}
		e.change(shard, func() error {
			id, r, err := e.create(shard, name)
			if err == nil {
				err = e.do(context.Background(), func(c *core.Core) error { return c.Add(r) })
			}
			done <- made{id, err}
			return nil
		})
		return nil
	})
	if err != nil {
		return 0, err
	}
	select {
	case m := <-done:
		return m.id, m.err
	case <-ctx.Done():
		return 0, ctx.Err()
	}
}

func (e *Engine) create(shard core.ShardID, name func() (core.ReplicaID, error)) (core.ReplicaID, core.Replica, error) {
	id, err := name()
	if err != nil {
		return 0, core.Replica{}, err
	}
	r, err := e.cfg.Log.Create(shard, id, nil)
	return id, r, err
}

func (e *Engine) destroy(d core.Destroy) {
	e.change(d.Shard, func() error { return e.cfg.Log.Destroy(d.Shard, d.ID) })
}

// change does something to a shard's replica on disk, in a goroutine of its own. The
// caller has the turn.
func (e *Engine) change(shard core.ShardID, f func() error) {
	e.changing[shard] = true
	end := e.disk.side.begin(e.disk.now())
	e.others.Go(func() {
		defer end()
		if err := f(); err != nil {
			e.fail(err)
			return
		}
		e.inbox.input(func(*core.Core) { delete(e.changing, shard) })
	})
}

// Remove destroys this node's replica of a shard, which must not be a member any more.
func (e *Engine) Remove(ctx context.Context, shard core.ShardID) error {
	return e.do(ctx, func(c *core.Core) error {
		c.Remove(shard)
		return nil
	})
}

// ChangeMembers is [core.Core.ChangeMembers] if the members of the shard are still those
// that the caller decided on.
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
