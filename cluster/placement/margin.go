package placement

import (
	"slices"

	"ssod/cluster/placement/plan"
)

// Margin is how far the cluster is from losing something, as far as this node
// knows which nodes are there.
type Margin struct {
	// Spare is how many more nodes may be lost, whichever they are; below 0, some
	// shards have no majority.
	Spare int
	// Wanted is how many that should be, among several nodes.
	Wanted int
	// Stopped are shards without a majority of their voters, Thin others that can
	// bear less than is wanted.
	Stopped, Thin int
	// Away are the names of members that vote and are not there, in order.
	Away []string
}

// Margin compares who votes where with who is there.
func (p *Placement) Margin() Margin {
	pages := p.book.pages.Load()
	live := func(r plan.ReplicaID) bool { return !pages.removed(r.Node()) && p.Alive(r.Node()) }
	groups := pages.all(p.engine.Count())
	m := Margin{Spare: plan.Spare(groups, func(_ int, r plan.ReplicaID) bool { return live(r) })}
	if p.Others() > 0 {
		m.Wanted = (p.cfg.Replicas - 1) / 2
	}
	for _, c := range groups {
		m.count(c, live)
		for _, n := range c.Nodes() {
			if name := pages.nodes[n].Name; !pages.removed(n) && !p.Alive(n) && !slices.Contains(m.Away, name) {
				m.Away = append(m.Away, name)
			}
		}
	}
	slices.Sort(m.Away)
	return m
}

// count counts a group in.
func (m *Margin) count(c plan.Config, live func(plan.ReplicaID) bool) {
	switch {
	case c.Known() && c.Spare(live) < 0:
		m.Stopped++
	case !c.Known() && m.Wanted > 0, c.Known() && c.Spare(live) < m.Wanted:
		m.Thin++
	}
}
