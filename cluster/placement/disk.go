package placement

import (
	"context"
	"slices"
	"time"

	"ssod/cluster/plan"
	"ssod/cluster/replica/core"
)

// badDisk reports whether this node should lead nothing because its disk is slow, lags
// behind those of others, or is full.
func (p *Placement) badDisk() bool {
	d := p.engine.Disk()
	return d.Slow || d.Lags || d.Full
}

// lagWatch compares this node's disk with the others'. Only watchDisk uses it.
type lagWatch struct {
	meter plan.AppendMeter
	judge plan.Lag
}

// compareDisk judges whether this node's disk lags behind the others', and notes what to
// announce of it.
func (p *Placement) compareDisk(now time.Time) {
	n, took := p.engine.Appends()
	own := p.lag.meter.Count(now, n, took)
	p.appendTook.Store(int64(own))
	var others []time.Duration
	for _, o := range p.registry.others(p.self) {
		if p.Alive(o.ID) {
			others = append(others, p.view.appendTook(o.ID))
		}
	}
	p.engine.SetLags(p.lag.judge.Judge(now, own, others))
}

// AppendTook is the recent time of a synced append on this node, and the median of those
// on the others; 0 where unknown.
func (p *Placement) AppendTook() (here, others time.Duration) {
	var all []time.Duration
	for _, o := range p.registry.others(p.self) {
		all = append(all, p.view.appendTook(o.ID))
	}
	return time.Duration(p.appendTook.Load()), plan.Median(all)
}

// watchDisk hands the leaderships over while the disk is bad. One that no other node
// accepts stays.
func (p *Placement) watchDisk(ctx context.Context) {
	p.compareDisk(time.Now())
	bad := p.badDisk()
	if p.diskBad.Swap(bad) != bad {
		p.wake() // announce it
	}
	if bad {
		p.stepDown(ctx)
	}
}

// Relieved reports whether another node is there that accepts leads.
func (p *Placement) Relieved() bool {
	return slices.ContainsFunc(p.registry.others(p.self), func(n Node) bool { return p.takesLeads(n.ID) })
}

func (p *Placement) takesLeads(n NodeID) bool { return p.Alive(n) && p.view.willing(n) }

// sound reports whether a node is there and its disk is not bad: only such nodes get
// replicas.
func (p *Placement) sound(n NodeID) bool { return p.Alive(n) && !p.view.badDisk(n) }

// successors are the replicas that may lead instead of this node's. A node that is about
// to stop falls back on nodes that accept no leads.
func (p *Placement) successors(st core.Status) []plan.ReplicaID {
	of := func(ok func(NodeID) bool) []plan.ReplicaID {
		return slices.DeleteFunc(replicas(st.Applied.Conf.GetVoters()), func(r plan.ReplicaID) bool {
			return r == st.ID || !ok(r.Node())
		})
	}
	successors := of(p.takesLeads)
	if len(successors) == 0 && p.resigning.Load() {
		return of(p.Alive)
	}
	return successors
}

// toldFor is how long an announcement counts; it is repeated every [retell].
const toldFor = 3 * retell

// appendTook is the time of a synced append as a node announced it lately; 0 if it did not
// or wrote none.
func (v *View) appendTook(n NodeID) time.Duration {
	v.mu.Lock()
	defer v.mu.Unlock()
	if said := v.appends[n]; time.Since(said.at) <= toldFor {
		return said.took
	}
	return 0
}

// appendSaid is what a node announced of its appends, and when.
type appendSaid struct {
	took time.Duration
	at   time.Time
}

// badDisk reports whether a node announced lately that its disk is bad.
func (v *View) badDisk(n NodeID) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	at, ok := v.badDisks[n]
	return ok && time.Since(at) <= notAcceptingFor
}
