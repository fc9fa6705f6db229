package plan

import (
	"cmp"
	"slices"
)

// lead spreads the leaderships of all shards over the active nodes, and over zones as far as
// the nodes allow. A lead that was moved by load stays where it is as long as that node can
// lead.
func (p *planner) lead() {
	l := leaders{p, make([]NodeID, len(p.next)), map[NodeID]int{}, map[string]int{}}
	for s := range p.next {
		home := NodeID(0)
		if s < len(p.now) {
			home = p.now[s].home()
		}
		if !p.canLead(s, home) {
			home = l.idlest(s)
		}
		l.set(s, home)
	}
	for l.passOne() {
	}
	for s, home := range l.homes {
		a := &p.next[s]
		a.Preferred, a.Home = home, 0
		if s < len(p.now) && p.now[s].Home != 0 && p.canLead(s, p.now[s].Preferred) {
			*a = a.LedBy(p.now[s].Preferred)
		}
	}
}

// canLead reports whether a node is an active voter of a shard.
func (p *planner) canLead(s int, n NodeID) bool {
	return p.active[n] && slices.Contains(p.next[s].Voters, n)
}

// leaders are the leaders of the shards by the number of leaderships alone.
type leaders struct {
	p     *planner
	homes []NodeID // by shard; 0: none
	leads map[NodeID]int
	zones map[string]int // leads by zone
}

func (l *leaders) set(s int, n NodeID) {
	l.count(l.homes[s], -1)
	l.count(n, 1)
	l.homes[s] = n
}

func (l *leaders) count(n NodeID, by int) {
	if n != 0 {
		l.leads[n] += by
		l.zones[l.p.zones[n]] += by
	}
}

// idlest is the active voter of a shard that leads the fewest, in the zone that leads the
// fewest; 0 if none is active.
func (l *leaders) idlest(s int) (best NodeID) {
	for _, n := range l.p.next[s].Voters {
		if l.p.active[n] && (best == 0 || l.compare(n, best) < 0) {
			best = n
		}
	}
	return best
}

func (l *leaders) compare(a, b NodeID) int {
	return cmp.Or(cmp.Compare(l.leads[a], l.leads[b]), cmp.Compare(l.zones[l.p.zones[a]], l.zones[l.p.zones[b]]))
}

// passOne moves one leadership to a voter that leads at least two fewer, or one fewer in a
// zone that leads two fewer.
func (l *leaders) passOne() bool {
	for s, from := range l.homes {
		to := l.idlest(s)
		if from == 0 || to == 0 {
			continue
		}
		less := l.leads[from] - l.leads[to]
		if less >= 2 || less == 1 && l.zones[l.p.zones[from]]-l.zones[l.p.zones[to]] >= 2 {
			l.set(s, to)
			return true
		}
	}
	return false
}
