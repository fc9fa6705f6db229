package placement

import (
	"context"
	"slices"
	"time"

	"ssod/cluster/placement/plan"
	"ssod/cluster/replica/core"
)

// slowDisk reports whether this node's disk takes so long that it should lead
// nothing.
func (p *Placement) slowDisk() bool { return p.engine.Disk().Slow }

// watchDisk hands the leaderships over while the disk is slow, to those that
// take them. What nobody takes stays: a slow disk is better than none.
func (p *Placement) watchDisk(ctx context.Context) {
	slow := p.slowDisk()
	if p.diskSlow.Swap(slow) != slow {
		p.wake() // others hear of it
	}
	if !slow {
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
	return slices.ContainsFunc(p.book.others(p.self), func(n Node) bool { return p.takesLeads(n.ID) })
}

func (p *Placement) takesLeads(n NodeID) bool { return p.Alive(n) && p.view.willing(n) }

// sound reports whether a node is there and its disk keeps up: others get no
// replicas.
func (p *Placement) sound(n NodeID) bool { return p.Alive(n) && !p.view.slow(n) }

// heirs are the replicas that may lead in the place of this node's. One that is
// about to stop takes nodes that would rather lead nothing for want of others.
func (p *Placement) heirs(st core.Status) []plan.ReplicaID {
	of := func(ok func(NodeID) bool) []plan.ReplicaID {
		return slices.DeleteFunc(replicas(st.Applied.Conf.GetVoters()), func(r plan.ReplicaID) bool {
			return r == st.ID || !ok(r.Node())
		})
	}
	heirs := of(p.takesLeads)
	if len(heirs) == 0 && p.resigning.Load() {
		return of(p.Alive)
	}
	return heirs
}

// slow reports whether a node said lately that its disk is slow.
func (v *View) slow(n NodeID) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	at, ok := v.slowDisks[n]
	return ok && time.Since(at) <= aloofFor
}
