package replica

import (
	"context"
	"fmt"

	"ssod/cluster"
)

// Alone opens an engine on a node that is the only voter of all its shards, and
// waits until it leads them. Shards that have no replica yet are founded; what
// [ssod/persistence.Store.Apply] left in them is the state that their logs begin
// with.
func Alone(ctx context.Context, cfg Config) (*Engine, error) {
	if err := Found(cfg.Log, cfg.Node, cfg.Shards); err != nil {
		return nil, err
	}
	e, err := Open(cfg)
	if err != nil {
		return nil, err
	}
	if err := e.leadAll(ctx); err != nil {
		e.Close()
		return nil, err
	}
	return e, nil
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
