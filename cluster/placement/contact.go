package placement

import (
	"context"
	"fmt"
	"time"

	"ssod/cluster"
)

// contactEvery is how often the leader of the meta shard is asked what is new.
// Several questions may get lost before a lease ends.
const contactEvery = 2 * time.Second

// keepContact asks the leader of the meta shard for the newest revisions, and
// counts as contact when they are here. What counts is when it asked: the leader
// may have learned something new as soon as it had answered.
func (p *Placement) keepContact(ctx context.Context) {
	now := time.Now()
	if p.HasContact(now) && now.Sub(*p.contact.Load()) < min(contactEvery, p.cfg.Lease/4) {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	asked := time.Now()
	if err := p.CatchUp(ctx); err != nil {
		p.cfg.Log.Debug("no contact to the leader of the meta shard", "error", err)
		return
	}
	p.contact.Store(&asked)
}

// CatchUp waits until this node has of every table what was acknowledged before
// it was called.
func (p *Placement) CatchUp(ctx context.Context) error {
	newest, err := p.newest(ctx)
	if err != nil {
		return err
	}
	for table, revision := range newest {
		if err := p.tables.Await(ctx, table, revision); err != nil {
			return err
		}
	}
	return nil
}

// newest are the newest revisions of the tables, from who leads the meta shard.
func (p *Placement) newest(ctx context.Context) (map[string]uint64, error) {
	if _, leads := p.engine.Lead(cluster.MetaShard); leads {
		return p.tables.Newest(ctx)
	}
	owner, _ := p.view.Owner(cluster.MetaShard)
	n, ok := p.registry.At(owner.Address)
	if !ok || n.ID == p.self {
		return nil, fmt.Errorf("%w: nobody is known to lead the meta shard", ErrTemporary)
	}
	a, err := p.call(ctx, n.ID, &Request{Contact: &ContactRequest{}})
	return a.GetContact().GetRevisions(), err
}

// InContact reports whether this node may serve what rests on the tables: it has them,
// and has not left. It is asked with the time at which a request came.
//
// Both clocks count. The monotonic one cannot be set, and the other one goes on
// while a virtual machine is paused.
func (p *Placement) InContact(at time.Time) bool {
	return p.HasContact(at) && p.mayServe()
}

// HasContact reports whether this node had at a time what rests on the tables, whether
// it serves or not.
func (p *Placement) HasContact(at time.Time) bool {
	last := p.contact.Load()
	return last != nil && at.Sub(*last) < p.cfg.Lease && at.Round(0).Sub(last.Round(0)) < p.cfg.Lease
}

// LastContact is when this node was last known to have everything; the zero
// time: never.
func (p *Placement) LastContact() time.Time {
	if last := p.contact.Load(); last != nil {
		return *last
	}
	return time.Time{}
}

// AwaitContact waits for the first contact.
func (p *Placement) AwaitContact(ctx context.Context) error {
	pace := time.NewTicker(firstContactPace)
	defer pace.Stop()
	for p.contact.Load() == nil {
		select {
		case <-pace.C:
		case <-ctx.Done():
			return fmt.Errorf("no contact to the leader of the meta shard: %w", ctx.Err())
		}
	}
	return nil
}

// firstContactPace is how often a node that starts looks whether it has contact.
const firstContactPace = 10 * time.Millisecond

// metaLead is a term in which this node leads the meta shard.
type metaLead struct {
	term uint64
	from time.Time // not before it knew that
}

// noteMetaLead notes that this node leads the meta shard.
func (p *Placement) noteMetaLead(term uint64) {
	if r := p.metaLead.Load(); r == nil || r.term != term {
		p.metaLead.Store(&metaLead{term, time.Now()})
	}
}

// unheard is for how long this node, which leads the meta shard, has not heard
// of another. It was not the one to listen before it led, and nobody expects to
// hear a node that has yet to join.
func (p *Placement) unheard(n NodeID) time.Duration {
	from, ok := p.leadsMetaSince()
	if !ok {
		return 0
	}
	return time.Since(later(from, later(p.vigil.metAt(n), p.cfg.LastHeard(n))))
}
