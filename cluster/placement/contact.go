package placement

import (
	"context"
	"fmt"
	"time"

	"ssod/cluster"
	"ssod/cluster/wait"
)

// contactEvery is how often the leader of the meta shard is asked for news. Several
// requests may get lost before a lease ends.
const contactEvery = 2 * time.Second

// keepContact asks the leader of the meta shard for the newest revisions and waits until
// they are here. The contact counts from when it asked: there may have been news as soon as
// the leader had answered.
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

// CatchUp waits until this node has everything that was acknowledged in any table before
// the call.
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

// newest are the newest revisions of the tables, from the leader of the meta shard.
func (p *Placement) newest(ctx context.Context) (map[string]uint64, error) {
	if _, leads := p.engine.Lead(cluster.MetaShard); leads {
		return p.tables.Newest(ctx)
	}
	n, err := p.leaderOf(cluster.MetaShard)
	if err != nil {
		return nil, err
	}
	a, err := p.call(ctx, n.ID, &Request{Contact: &ContactRequest{}})
	return a.GetContact().GetRevisions(), err
}

// InContact reports whether this node may serve a request that came at a time: its tables
// are recent enough, and it has not left.
func (p *Placement) InContact(at time.Time) bool {
	return p.HasContact(at) && p.mayServe()
}

// HasContact reports whether this node's tables were recent enough at a time, by both
// clocks: the monotonic one cannot be set, and the other one goes on while a virtual
// machine is paused.
func (p *Placement) HasContact(at time.Time) bool {
	last := p.contact.Load()
	return last != nil && at.Sub(*last) < p.cfg.Lease && at.Round(0).Sub(last.Round(0)) < p.cfg.Lease
}

// LastContact is when this node last had everything; the zero time: never.
func (p *Placement) LastContact() time.Time {
	if last := p.contact.Load(); last != nil {
		return *last
	}
	return time.Time{}
}

// AwaitContact waits for the first contact.
func (p *Placement) AwaitContact(ctx context.Context) error {
	for p.contact.Load() == nil {
		if err := wait.Pause(ctx, firstContactPace); err != nil {
			return fmt.Errorf("no contact to the leader of the meta shard: %w", err)
		}
	}
	return nil
}

const firstContactPace = 10 * time.Millisecond

// metaLead is a term in which this node leads the meta shard, and when it noticed that.
type metaLead struct {
	term uint64
	from time.Time
}

// noteMetaLead notes that this node leads the meta shard.
func (p *Placement) noteMetaLead(term uint64) {
	if r := p.metaLead.Load(); r == nil || r.term != term {
		p.metaLead.Store(&metaLead{term, time.Now()})
	}
}

// unheard is how long this node, since it leads the meta shard, has not heard another that
// it knew to be a member.
func (p *Placement) unheard(n NodeID) time.Duration {
	from, ok := p.leadsMetaSince()
	if !ok {
		return 0
	}
	return time.Since(later(from, later(p.vigil.metAt(n), p.cfg.LastHeard(n))))
}
