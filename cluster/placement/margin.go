package placement

import (
	"maps"
	"slices"

	"ssod/cluster/plan"
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
	// Zones are those of the members, by name; none if no member has one. SpareZones
	// is how many of them may be lost, whichever they are; below 0, some shards have
	// no majority.
	Zones      []Zone
	SpareZones int
	// Away are the names of members that vote and are not there, in order.
	Away []string
}

// Zone is what fails together.
type Zone struct {
	// Name is empty for the members that have no zone.
	Name string
	// Nodes are the names of its members, in order.
	Nodes []string
	// Stops is how many shards have no majority when it is lost.
	Stops int
}

// Margin compares who votes where with who is there.
func (p *Placement) Margin() Margin {
	contents := p.registry.contents.Load()
	live := func(r plan.ReplicaID) bool { return !contents.removed(r.Node()) && p.Alive(r.Node()) }
	groups := contents.all(p.engine.Count())
	m := Margin{Spare: plan.Spare(groups, func(_ int, r plan.ReplicaID) bool { return live(r) })}
	if p.Others() > 0 {
		m.Wanted = (contents.settings.Replicas - 1) / 2
	}
	for _, c := range groups {
		m.count(c, live)
		for _, n := range c.Nodes() {
			if name := contents.nodes[n].Name; !contents.removed(n) && !p.Alive(n) && !slices.Contains(m.Away, name) {
				m.Away = append(m.Away, name)
			}
		}
	}
	slices.Sort(m.Away)
	m.zones(contents, groups, live)
	return m
}

// zones adds what the zones are worth.
func (m *Margin) zones(contents *contents, groups []plan.Config, live func(plan.ReplicaID) bool) {
	nodes, named := map[string][]string{}, false
	for _, n := range contents.nodes {
		if n.State != NodeState_REMOVED {
			nodes[n.Zone] = append(nodes[n.Zone], n.Name)
			named = named || n.Zone != ""
		}
	}
	if !named {
		return
	}
	o := plan.ZoneOutlook{
		Live: func(_ int, r plan.ReplicaID) bool { return live(r) },
		Zone: func(n NodeID) string { return contents.nodes[n].Zone },
	}
	m.SpareZones = plan.SpareZones(groups, o)
	for _, zone := range slices.Sorted(maps.Keys(nodes)) {
		slices.Sort(nodes[zone])
		m.Zones = append(m.Zones, Zone{Name: zone, Nodes: nodes[zone], Stops: plan.StopsWithout(groups, zone, o)})
	}
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
