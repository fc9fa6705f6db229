package placement

import (
	"context"
	"errors"
	"fmt"
	"time"

	"ssod/cluster"
	"ssod/cluster/replica"
)

// maxFound bounds what one request finds.
var maxFound = 4096

// Finder looks through the stored entities of shards that this node leads.
type Finder struct {
	Engine *replica.Engine
	// Match says whether an entity of a kind has to do with a value.
	Match func(kind, identity string, h cluster.Head, value []byte) bool
}

// Find returns the identities of all entities of a kind, on any shard, that have to
// do with a value. It reads every stored entity of the kind.
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

// Find is [Finder.Find] in the whole cluster: each shard is looked through by the
// node that leads it. One that has no leader now is waited for; who refuses is not asked
// again.
func (p *Placement) Find(ctx context.Context, kind string, value []byte) (found [][]byte, err error) {
	for id := range cluster.ShardID(p.engine.Count() + 1) {
		some, err := p.find(ctx, id, kind, value)
		for err != nil && !errors.Is(err, ErrRefused) {
			pause := time.NewTimer(p.cfg.Pace)
			select {
			case <-pause.C:
			case <-ctx.Done():
				pause.Stop()
				return nil, fmt.Errorf("look through shard %d: %w", id, errors.Join(err, ctx.Err()))
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
	owner, ok := p.view.Owner(id)
	n, known := p.registry.At(owner.Address)
	if !ok || !known {
		return nil, fmt.Errorf("%w: nobody leads it", ErrTemporary)
	}
	raw, err := p.cfg.Calls.Call(ctx, n.ID, encode(&Request{Find: &FindRequest{Shard: uint32(id), Kind: kind, Value: value}}))
	if err != nil {
		return nil, err
	}
	a, err := decodeAnswer(raw)
	return a.GetFound().GetIdentities(), err
}
