package placement

import (
	"context"
	"errors"
	"fmt"

	"ssod/cluster"
	"ssod/cluster/replica"
	"ssod/cluster/wait"
)

// maxFound bounds what one request finds.
var maxFound = 4096

// Finder looks through the stored entities of shards that this node leads.
type Finder struct {
	Engine *replica.Engine
	// Match says whether an entity of a kind concerns a value.
	Match func(kind, identity string, h cluster.Head, value []byte) bool
}

// Find returns the identities of all entities of a kind, on any shard, that concern a
// value. It reads every stored entity of the kind.
func (f *Finder) Find(_ context.Context, kind string, value []byte) (found [][]byte, err error) {
	for id := range cluster.ShardID(f.Engine.Count() + 1) {
		some, err := f.find(id, kind, value)
		if err != nil {
			return nil, err
		}
		found = append(found, some...)
	}
	return found, nil
}

func (f *Finder) find(id cluster.ShardID, kind string, value []byte) (found [][]byte, err error) {
	shard, leads := f.Engine.Lead(id)
	if !leads {
		return nil, fmt.Errorf("%w: shard %d is led by another node", ErrTemporary, id)
	}
	err = shard.Entities(kind, "", func(identity string, h cluster.Head) bool {
		if f.Match(kind, identity, h, value) {
			found = append(found, []byte(identity))
		}
		return len(found) <= maxFound
	})
	if err == nil && len(found) > maxFound {
		err = fmt.Errorf("%w: over %d of kind %s in shard %d", ErrRefused, maxFound, kind, id)
	}
	return found, err
}

// Find is [Finder.Find] in the whole cluster: the leader of each shard looks through it. It
// waits for the leader of a shard that has none.
func (p *Placement) Find(ctx context.Context, kind string, value []byte) (found [][]byte, err error) {
	for id := range cluster.ShardID(p.engine.Count() + 1) {
		some, err := p.find(ctx, id, kind, value)
		for err != nil && !errors.Is(err, ErrRefused) {
			if ended := wait.Pause(ctx, p.cfg.Pace); ended != nil {
				return nil, fmt.Errorf("look through shard %d: %w", id, errors.Join(err, ended))
			}
			some, err = p.find(ctx, id, kind, value)
		}
		if err != nil {
			return nil, fmt.Errorf("look through shard %d: %w", id, err)
		}
		found = append(found, some...)
	}
	return found, nil
}

func (p *Placement) find(ctx context.Context, id cluster.ShardID, kind string, value []byte) ([][]byte, error) {
	if _, leads := p.engine.Lead(id); leads {
		return p.cfg.Finder.find(id, kind, value)
	}
	n, err := p.leaderOf(id)
	if err != nil {
		return nil, err
	}
	a, err := p.ask(ctx, n.ID, &Request{Find: &FindRequest{Shard: uint32(id), Kind: kind, Value: value}})
	return a.GetFound().GetIdentities(), err
}
