package plan

import "slices"

// lead spreads the leaderships of all shards over the active nodes.
func (p *planner) lead() {
	leads := map[NodeID]int{}
	for s := range p.next {
		a := &p.next[s]
		a.Preferred = 0
		if s < len(p.now) && p.canLead(s, p.now[s].Preferred) {
			a.Preferred = p.now[s].Preferred
		} else {
			a.Preferred = p.idlest(s, leads)
		}
		leads[a.Preferred]++
	}
	for p.passOne(leads) {
	}
}

// canLead reports whether a node is an active voter of a shard.
func (p *planner) canLead(s int, n NodeID) bool {
	return p.active[n] && slices.Contains(p.next[s].Voters, n)
}

// idlest is the voter of a shard that leads the fewest; 0 if none is active.
func (p *planner) idlest(s int, leads map[NodeID]int) NodeID {
	var best NodeID
	for _, n := range p.next[s].Voters {
		if p.active[n] && (best == 0 || leads[n] < leads[best]) {
			best = n
		}
	}
	return best
}

// passOne passes one leadership on to a voter that leads at least two less.
func (p *planner) passOne(leads map[NodeID]int) bool {
	for s := range p.next {
		a := &p.next[s]
		to := p.idlest(s, leads)
		if a.Preferred == 0 || to == 0 || leads[a.Preferred]-leads[to] < 2 {
			continue
		}
		leads[a.Preferred]--
		leads[to]++
		a.Preferred = to
		return true
	}
	return false
}
