package replica

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"ssod/cluster"
	"ssod/cluster/replica/core"
)

// Alone opens an engine on a node that is the only voter of all its shards, and
// waits until it leads them. Shards that have no replica yet are founded. Whoever
// ends ctx because the disk has hung says so as its cause.
func Alone(ctx context.Context, cfg Config) (*Engine, error) {
	if err := Found(cfg.Log, cfg.Node, cfg.Shards); err != nil {
		return nil, err
	}
	e, err := Open(cfg)
	if err != nil {
		return nil, err
	}
	if err := e.leadAll(ctx); err != nil {
		e.abandon(ctx)
		return nil, err
	}
	return e, nil
}

// abandon closes an engine that does not come to lead. If ctx ended because the
// disk has hung nobody waits for that: the process is about to end.
func (e *Engine) abandon(ctx context.Context) {
	closed := make(chan struct{})
	go func() {
		defer close(closed)
		e.Close()
	}()
	if !errors.Is(context.Cause(ctx), ErrDiskHung) {
		<-closed
	}
}

// Found makes this node the only member of every shard that it has no replica
// of: a cluster of one.
func Found(log Log, node core.NodeID, shards int) error {
	replicas, err := log.Replicas()
	if err != nil {
		return err
	}
	var missing []core.ShardID
	for s := range core.ShardID(shards + 1) {
		if !slices.ContainsFunc(replicas, func(r core.Replica) bool { return r.Shard == s }) {
			missing = append(missing, s)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	id := newReplicaID(node)
	if _, err := log.CreateAll(missing, id, soleConf(id)); err != nil {
		return fmt.Errorf("found %d shards: %w", len(missing), err)
	}
	return nil
}

// leadAll waits until this node leads every shard.
func (e *Engine) leadAll(ctx context.Context) error {
	changed := make(chan struct{}, 1)
	stop := e.Watch(func(cluster.ShardID) {
		select {
		case changed <- struct{}{}:
		default:
		}
	})
	defer stop()
	for id := range cluster.ShardID(e.Count() + 1) {
		for _, ok := e.Lead(id); !ok; _, ok = e.Lead(id) {
			select {
			case <-changed:
			case <-ctx.Done():
				return fmt.Errorf("lead shard %d: %w", id, ctx.Err())
			}
		}
	}
	return nil
}
