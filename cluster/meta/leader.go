package meta

import (
	"context"
	"fmt"

	"ssod/cluster"
	"ssod/cluster/wait"
)

// lead waits until this node leads the meta shard.
func lead(ctx context.Context, shards cluster.Shards) (shard cluster.Shard, err error) {
	err = awaitOwner(ctx, shards, func() (ok bool) {
		shard, ok = shards.Lead(cluster.MetaShard)
		return ok
	})
	return shard, err
}

// locate waits until the meta shard has a leader, this node or another.
func locate(ctx context.Context, shards cluster.Shards) (owner cluster.Owner, here bool, err error) {
	err = awaitOwner(ctx, shards, func() bool {
		if _, here = shards.Lead(cluster.MetaShard); here {
			return true
		}
		var known bool
		owner, known = shards.Owner(cluster.MetaShard)
		return known
	})
	return owner, here, err
}

// awaitOwner waits until ok, which a change of the meta shard's owner brings about.
func awaitOwner(ctx context.Context, shards cluster.Shards, ok func() bool) error {
	changed := wait.NewSignal()
	defer shards.Watch(func(id cluster.ShardID) {
		if id == cluster.MetaShard {
			changed.Send()
		}
	})()
	for !ok() {
		select {
		case <-changed:
		case <-ctx.Done():
			return fmt.Errorf("wait for the meta shard: %w", ctx.Err())
		}
	}
	return nil
}
