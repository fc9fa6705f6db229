package plan

import (
	"cmp"
	"slices"
)

// A set of nodes is the better isolated the fewer of them share a zone. Nodes without a zone
// count as sharing one, as what they have in common is unknown.
//
// Replacing a node of a set loses no isolation if no more of the rest are in the zone of the
// new node than in that of the old one: then the set is in no fewer zones than before, and no
// zone has more of it than the fullest had.

// crowd is how many nodes of a set are in the zone of a node.
func (p *planner) crowd(set []NodeID, n NodeID) (count int) {
	for _, m := range set {
		if p.zones[m] == p.zones[n] {
			count++
		}
	}
	return count
}

// isolates reports whether a node of a set can be replaced without a loss of isolation.
func (p *planner) isolates(set []NodeID, from, to NodeID) bool {
	rest := without(set, from)
	return p.crowd(rest, to) <= p.crowd(rest, from)
}

// candidate is the next node of a set: a fit one in the zone that has the least of the set,
// and there the one that holds the least.
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

// replacement is the node that replaces an inactive one; false if none can. A dead one is
// not replaced, until it returns or is removed, when isolation would be lost: otherwise all
// data of a zone would be copied into the others whenever it is down, where one would get a
// majority. A drained one is replaced in any case, dead or not.
func (p *planner) replacement(set []NodeID, gone NodeID, fit func(NodeID) bool) (NodeID, bool) {
	to, ok := p.candidate(without(set, gone), fit)
	return to, ok && (!slices.Contains(p.staying, gone) || p.isolates(set, gone, to))
}

// zoned reports whether all active nodes have a zone. Until then nothing moves because of
// zones: while they are named node by node every shard would move to the first.
func (p *planner) zoned() bool {
	for n := range p.active {
		if p.zones[n] == "" {
			return false
		}
	}
	return true
}

// isolate moves replicas into zones that have fewer of their shard, until every set is as
// isolated as the nodes allow.
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

// improve finds an active node of a set in the zone with the most of it, and a fit one in
// the zone with the least, if replacing the one by the other improves isolation; else it
// returns 0.
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
