package node

import (
	"context"
	"errors"
	"fmt"

	"ssod/actors/erasure"
	"ssod/actors/linking"
	"ssod/cluster"
	"ssod/cluster/placement"
	"ssod/httpfront/api/admin"
)

// startScrubber begins to accept requests to scrub files.
func (n *Node) startScrubber() {
	n.finder = &placement.Finder{Engine: n.engine, Match: erasure.Match}
	n.scrubber = placement.NewScrubber(n.engine, n.store.Scrub)
	n.own("scrubs", closing(n.scrubber.Close))
	n.startPins()
}

// everywhere is [erasure.Cluster].
type everywhere struct{ n *Node }

func (e everywhere) Find(ctx context.Context, kind string, device []byte) ([][]byte, error) {
	if e.n.placement == nil {
		return e.n.finder.Find(ctx, kind, device)
	}
	return e.n.placement.Find(ctx, kind, device)
}

func (e everywhere) Scrub(ctx context.Context, shards []cluster.ShardID) error {
	if e.n.placement == nil {
		return e.n.scrubber.Scrub(ctx, shards)
	}
	return e.n.placement.Scrub(ctx, shards)
}

// operatorsEraser is [admin.Erasure].
type operatorsEraser struct {
	eraser *erasure.Eraser
	n      *Node
}

func (n *Node) eraser(links linking.Client) operatorsEraser {
	return operatorsEraser{&erasure.Eraser{
		Asker: n.runtime, Cluster: everywhere{n}, Slots: n.slots, Links: links,
	}, n}
}

func (e operatorsEraser) Begin(what erasure.Target) (job string, err error) {
	job, err = e.n.scrubber.Begin(func(ctx context.Context) (any, error) { return e.eraser.Erase(ctx, what) })
	if errors.Is(err, placement.ErrTemporary) {
		err = fmt.Errorf("%w: %w", cluster.ErrRefused, err)
	}
	return job, err
}

func (e operatorsEraser) Await(ctx context.Context, job string) (erased erasure.Erased, done bool, err error) {
	result, done, err := e.n.scrubber.Await(ctx, job)
	switch {
	case errors.Is(err, placement.ErrNoJob):
		return erased, false, admin.ErrNoErasure
	case err != nil && ctx.Err() == nil:
		err = fmt.Errorf("%w: %w", admin.ErrUnfinished, err)
	}
	erased, _ = result.(erasure.Erased)
	return erased, done, err
}
