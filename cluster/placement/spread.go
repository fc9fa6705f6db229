package placement

import (
	"context"
	"sync"
	"time"
)

// spread returns when every other node has a revision of a table, or does not
// count: a revocation that is answered holds everywhere.
func (p *Placement) spread(ctx context.Context, table string, revision uint64) {
	if table == nodesTable || table == shardsTable {
		return // nobody relies on these being everywhere
	}
	var waiting sync.WaitGroup
	for _, n := range p.book.Nodes() {
		if n.ID != p.self {
			waiting.Go(func() { p.await(ctx, n, table, revision) })
		}
	}
	waiting.Wait()
}

// spreadPause is between two attempts to hear that a node has a revision.
const spreadPause = 50 * time.Millisecond

// await returns when a node has a revision, or does not count.
func (p *Placement) await(ctx context.Context, n Node, table string, revision uint64) {
	for p.counts(n, table) && ctx.Err() == nil && p.ctx.Err() == nil {
		if n.State != NodeState_REMOVED {
			if _, err := p.call(ctx, n.ID, &Request{Await: &AwaitRequest{Table: table, Revision: revision}}); err == nil {
				return
			}
		}
		pause := time.NewTimer(spreadPause)
		select {
		case <-pause.C:
		case <-ctx.Done():
		case <-p.ctx.Done():
		}
		pause.Stop()
	}
}

// leaseMargin is how much longer than a lease is waited for it to end. Clocks
// that count time do not differ by so much in ten seconds.
const leaseMargin = 500 * time.Millisecond

// counts reports whether a node may serve on an old version of a table, as far
// as that matters: where it does, until the node's lease is over for certain.
// It was in contact with this node, which heard of it then, or with a leader
// before.
func (p *Placement) counts(n Node, table string) bool {
	switch {
	case n.State == NodeState_REMOVED: // it was unreachable by then
		return p.cfg.Binding(table) && p.cfg.Clock().Sub(n.Changed).Abs() < p.cfg.Lease+leaseMargin
	case p.cfg.Binding(table):
		return p.unheard(n.ID) < p.cfg.Lease+leaseMargin
	}
	return p.Alive(n.ID)
}
