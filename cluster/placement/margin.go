package placement

import (
	"maps"
	"slices"

	"ssod/cluster/plan"
)

// Margin is how many losses the cluster can take, as far as this node knows.
type Margin struct {
	// Spare is how many more nodes may be lost, whichever they are; below 0, some
	// shards have no majority.
	Spare int
	// Wanted is what Spare should be; 0 on a single node.
	Wanted int
	// Stopped counts the shards without a majority of their voters, Thin others that can
	// take fewer losses than Wanted.
	Stopped, Thin int
	// Zones are those of the members, by name; none if no member has one. SpareZones is
	// how many of them may be lost, whichever they are; below 0, some shards have no
	// majority.
	Zones      []Zone
	SpareZones int
	// Away are the names of members that vote and are down, in order.
	Away []string
}

// Zone is a set of nodes that fail together.
type Zone struct {
	// Name is empty for the members without a zone.
	Name string
	// Nodes are the names of its members, in order.
	Nodes []string
	// Stops counts the shards that have no majority when it is lost.
	Stops int
}

// Margin compares the voters with the nodes that are alive.
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
