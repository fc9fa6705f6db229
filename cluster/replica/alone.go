package replica

import (
	"context"
	"errors"
	"fmt"
	"slices"

	pb "go.etcd.io/raft/v3/raftpb"

	"ssod/cluster"
	"ssod/cluster/replica/core"
	"ssod/cluster/wait"
	"ssod/persistence"
)

// Alone opens an engine on a node that is the only voter of all its shards, founds those
// without a replica, and waits until it leads all. If ctx ends with the cause
// [ErrDiskHung], Alone does not wait for the disk.
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

// abandon closes an engine, without waiting for a disk that has hung: the process is
// about to end.
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

// Found makes this node the only member of every shard of which it has no replica.
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
	id := persistence.NewReplicaID(node, 1)
	if _, err := log.CreateAll(missing, id, &pb.ConfState{Voters: []uint64{uint64(id)}}); err != nil {
		return fmt.Errorf("found %d shards: %w", len(missing), err)
	}
	return nil
}

// leadAll waits until this node leads every shard.
func (e *Engine) leadAll(ctx context.Context) error {
	changed := wait.NewSignal()
	defer e.Watch(func(cluster.ShardID) { changed.Send() })()
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
