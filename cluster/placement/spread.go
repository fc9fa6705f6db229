package placement

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"ssod/cluster/wait"
)

// spread returns when every other node has a revision of a table or does not count: an
// answered revocation holds everywhere. It fails only when ctx ends before.
func (p *Placement) spread(ctx context.Context, table string, revision uint64) error {
	if table == nodesTable || table == shardsTable || table == settingsTable {
		return nil // these need not be everywhere
	}
	committed := p.leases.commit(table, revision)
	if err := p.knowWhoLeft(); err != nil {
		return err
	}
	var waiting sync.WaitGroup
	var missing atomic.Bool
	for _, n := range p.registry.Nodes() {
		if n.ID != p.self {
			waiting.Go(func() {
				if !p.await(ctx, n, table, revision, p.countsUntil(n, table, committed)) {
					missing.Store(true)
				}
			})
		}
	}
	waiting.Wait()
	if missing.Load() {
		return fmt.Errorf("wait for other nodes to have it: %w", cmp.Or(ctx.Err(), p.ctx.Err()))
	}
	return nil
}

// spreadPause is between two questions whether a node has a revision.
const spreadPause = 50 * time.Millisecond

// await reports true when a node has a revision or does not count any more, and false when
// ctx or the placement ends before.
func (p *Placement) await(ctx context.Context, n Node, table string, revision uint64, until time.Time) bool {
	asking, cancel := context.WithDeadline(ctx, until)
	defer cancel()
	defer context.AfterFunc(p.ctx, cancel)()
	for p.counts(n, table) && time.Now().Before(until) {
		if cmp.Or(ctx.Err(), p.ctx.Err()) != nil {
			return false
		}
		if n.State != NodeState_REMOVED {
			if _, err := p.call(asking, n.ID, &Request{Await: &AwaitRequest{Table: table, Revision: revision}}); err == nil {
				return true
			}
		}
		_ = wait.Pause(asking, spreadPause)
	}
	return true
}

// countsUntil is how long to wait for a node that does not confirm what was committed by a
// time: for a binding table until its lease is certainly over, else as long as a silent
// node counts as alive.
func (p *Placement) countsUntil(n Node, table string, committed time.Time) time.Time {
	if p.cfg.Binding(table) {
		return p.leaseOver(n.ID, committed)
	}
	return time.Now().Add(p.cfg.AliveWithin)
}

// counts reports whether a node is waited for at all.
func (p *Placement) counts(n Node, table string) bool {
	switch {
	case n.Leave == Leave_LEFT: // it serves nothing
		return false
	case !p.cfg.Binding(table):
		return n.State != NodeState_REMOVED && p.sound(n.ID)
	case n.State == NodeState_REMOVED:
		return p.leases.removedFor(n.ID) < forgetAfter && p.cfg.Clock().Sub(n.Changed).Abs() < longGone
	}
	return true
}

// knowWhoLeft takes over the registry as applied here, which is not older than what is to
// spread: a node that was taken back before that must not count as one that serves nothing.
func (p *Placement) knowWhoLeft() error {
	if !slices.ContainsFunc(p.registry.Nodes(), func(n Node) bool { return n.Leave == Leave_LEFT }) {
		return nil
	}
	if err := p.tables.Refresh(nodesTable); err != nil {
		return err
	}
	p.reread()
	return nil
}
