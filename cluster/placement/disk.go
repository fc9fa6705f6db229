package placement

import (
	"context"
	"slices"
	"time"

	"ssod/cluster/plan"
	"ssod/cluster/replica/core"
)

// badDisk reports whether this node's disk takes so long, or so much longer than
// those of the others, or has so little room, that it should lead nothing.
func (p *Placement) badDisk() bool {
	d := p.engine.Disk()
	return d.Slow || d.Lags || d.Full
}

// lagWatch compares this node's disk with the others'. Only the watch of the disk
// uses it.
type lagWatch struct {
	meter plan.AppendMeter
	judge plan.Lag
}

// compareDisk judges whether this node's disk lags behind the others', and takes note
// of what others are told of it.
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

// AppendTook is what a synced append takes on this node lately, and the median of
// what it takes on the others; 0 where that is not known.
func (p *Placement) AppendTook() (here, others time.Duration) {
	var all []time.Duration
	for _, o := range p.registry.others(p.self) {
		all = append(all, p.view.appendTook(o.ID))
	}
	return time.Duration(p.appendTook.Load()), plan.Median(all)
}

// watchDisk hands the leaderships over while the disk is bad, to those that
// take them. What nobody takes stays: a bad disk is better than none.
func (p *Placement) watchDisk(ctx context.Context) {
	p.compareDisk(time.Now())
	bad := p.badDisk()
	if p.diskBad.Swap(bad) != bad {
		p.wake() // others hear of it
	}
	if !bad {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	if _, err := p.handAllOver(ctx); err != nil && ctx.Err() == nil {
		p.cfg.Log.Debug("not all leaderships were handed over", "error", err)
	}
}

// Relieved reports whether another node is there that takes leads.
func (p *Placement) Relieved() bool {
	return slices.ContainsFunc(p.registry.others(p.self), func(n Node) bool { return p.takesLeads(n.ID) })
}

func (p *Placement) takesLeads(n NodeID) bool { return p.Alive(n) && p.view.willing(n) }

// sound reports whether a node is there and its disk keeps up and has room: others
// get no replicas.
func (p *Placement) sound(n NodeID) bool { return p.Alive(n) && !p.view.badDisk(n) }

// successors are the replicas that may lead in the place of this node's. One that is
// about to stop takes nodes that would rather lead nothing for want of others.
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

// toldFor is for how long what a node said of itself counts that it says again every
// [retell].
const toldFor = 3 * retell

// appendTook is what a synced append takes on a node, as it said lately; 0: it did not,
// or wrote none.
func (v *View) appendTook(n NodeID) time.Duration {
	v.mu.Lock()
	defer v.mu.Unlock()
	if said := v.appends[n]; time.Since(said.at) <= toldFor {
		return said.took
	}
	return 0
}

// appendSaid is what a node said of its appends, and when.
type appendSaid struct {
	took time.Duration
	at   time.Time
}

// badDisk reports whether a node said lately that its disk is.
func (v *View) badDisk(n NodeID) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	at, ok := v.badDisks[n]
	return ok && time.Since(at) <= notAcceptingFor
}
