package placement

import (
	"context"
	"sync"
)

// spread returns when every other node that is alive has a revision of a table:
// a revocation that is answered holds everywhere. A node that does not answer is
// waited for until it does not count as alive any more; cut off for so long it
// serves nothing that rests on the table.
func (p *Placement) spread(ctx context.Context, table string, revision uint64) {
	if table == nodesTable || table == shardsTable {
		return // nobody relies on these being everywhere
	}
	var waiting sync.WaitGroup
	for _, n := range p.book.others(p.self) {
		waiting.Go(func() { p.await(ctx, n.ID, table, revision) })
	}
	waiting.Wait()
}

// await returns when a node has a revision, or is not alive.
func (p *Placement) await(ctx context.Context, n NodeID, table string, revision uint64) {
	for p.Alive(n) && ctx.Err() == nil && p.ctx.Err() == nil {
		if _, err := p.call(ctx, n, &Request{Await: &AwaitRequest{Table: table, Revision: revision}}); err == nil {
			return
		}
	}
}
