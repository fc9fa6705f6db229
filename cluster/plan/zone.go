package plan

import (
	"cmp"
	"slices"
)

// A set of nodes is isolated the better the fewer of them share a zone. Nodes
// without a zone share one of their own: nobody knows what they have in common.
//
// For one node of a set to make room for another is no loss of isolation if no more
// of the others are in the zone of the one that comes: then the set is in no fewer
// zones than before, and no zone has more of it than the fullest had.

// crowd is how many nodes of a set are in the zone of a node.
func (p *planner) crowd(set []NodeID, n NodeID) (count int) {
	for _, m := range set {
		if p.zones[m] == p.zones[n] {
			count++
		}
	}
	return count
}

// isolates reports whether a node of a set can make room for another without a loss
// of isolation.
func (p *planner) isolates(set []NodeID, from, to NodeID) bool {
	rest := without(set, from)
	return p.crowd(rest, to) <= p.crowd(rest, from)
}

// candidate is the next node of a set: of those that are fit one in the zone that
// the set is in least, and there the one that holds least.
func (p *planner) candidate(set []NodeID, fit func(NodeID) bool) (best NodeID, ok bool) {
	for _, n := range p.members {
		if !fit(n) || slices.Contains(set, n) {
			continue
		}
		if !ok || cmp.Or(cmp.Compare(p.crowd(set, n), p.crowd(set, best)), cmp.Compare(p.holds[n], p.holds[best])) < 0 {
			best, ok = n, true
		}
	}
	return best, ok
}

// replacement is the node that takes the place of one that is not active; false if
// none can. A dead one waits, for its return or for an operator to remove it, when
// isolation would be lost: otherwise all that a zone holds would be copied into the
// others whenever it is away, where one would get a majority of it. One that is
// drained goes all the same, dead or not: its operator wants it out.
func (p *planner) replacement(set []NodeID, gone NodeID, fit func(NodeID) bool) (NodeID, bool) {
	to, ok := p.candidate(without(set, gone), fit)
	return to, ok && (!slices.Contains(p.staying, gone) || p.isolates(set, gone, to))
}

// zoned reports whether all active nodes have a zone. Until then nothing moves for
// the sake of zones: whoever names them node after node would have every shard moved
// to the first.
func (p *planner) zoned() bool {
	for n := range p.active {
		if p.zones[n] == "" {
			return false
		}
	}
	return true
}

// isolate moves replicas into zones that have fewer of their shard, until every set
// is as isolated as the nodes there are allow.
func (p *planner) isolate() {
	for s := 1; s <= p.rules.Shards && p.zoned(); s++ {
		if p.frozen[s] {
			continue
		}
		for from, to := p.improve(p.sets[s], p.takes); to != 0; from, to = p.improve(p.sets[s], p.takes) {
			p.sets[s] = append(without(p.sets[s], from), to)
			p.holds[from]--
			p.holds[to]++
		}
	}
}

// improve finds an active node of a set in the zone with the most of it, and one
// that is fit in the zone with the least, if the set is better isolated when the one
// makes room for the other; else it returns 0.
func (p *planner) improve(set []NodeID, fit func(NodeID) bool) (from, to NodeID) {
	for _, n := range set {
		if p.active[n] && (from == 0 || cmp.Or(cmp.Compare(p.crowd(set, n), p.crowd(set, from)), cmp.Compare(p.holds[n], p.holds[from]), cmp.Compare(n, from)) > 0) {
			from = n
		}
	}
	to, ok := p.candidate(set, fit)
	if from == 0 || !ok || p.crowd(set, to)+1 >= p.crowd(set, from) {
		return 0, 0
	}
	return from, to
}
