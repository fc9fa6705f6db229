package plan

import (
	"cmp"
	"slices"
)

// State is that of a node in the cluster.
type State int

const (
	// Active nodes hold replicas and get new ones.
	Active State = iota
	// Dead nodes have been unreachable for long: their replicas are replaced on other
	// nodes if there are any.
	Dead
	// Removed nodes are gone for good.
	Removed
)

// Leave is how far a node is in being drained, whether it is dead or not.
type Leave int

const (
	// Stays is a node that takes part.
	Stays Leave = iota
	// Leaves is a node that is being drained: its replicas are replaced on other nodes if
	// there are any.
	Leaves
	// Left is a node that was drained. It is only a learner of the meta group.
	Left
)

// Node is a node of the plan.
type Node struct {
	ID    NodeID
	State State
	Leave Leave
	// Zone names the nodes that fail together with it; it may be empty.
	Zone string
	// Full: its disk has no room for further replicas. It keeps those that it has.
	Full bool
}

// Rules are the settings of the plan.
type Rules struct {
	// Shards is the number of entity shards; shard 0 comes on top.
	Shards int
	// Replicas is how many copies each shard should have.
	Replicas int
}

// copies is how many copies of a shard that many nodes hold.
func (r Rules) copies(nodes int) int { return min(r.Replicas, nodes) }

// Unplaced counts the entity shards that, as registered, have more or fewer copies than the
// rules ask for, or are about to change.
func Unplaced(nodes []Node, groups []Config, r Rules) (n int) {
	want := r.copies(len(newPlanner(nodes, nil, r).members))
	for _, c := range groups[1:] {
		if len(c.Outgoing)+len(c.Next) > 0 || len(c.Voters)+len(c.Learners) != want {
			n++
		}
	}
	return n
}

// Desired returns the map that the cluster should have, given the one it has.
// Nodes may come in any order.
func Desired(nodes []Node, now Map, r Rules) Map {
	p := newPlanner(nodes, now, r)
	p.next[0] = p.meta(p.current(0))
	for s := 1; s <= r.Shards; s++ {
		p.place(s)
	}
	p.isolate()
	p.spread()
	for s := 1; s <= r.Shards; s++ {
		p.vote(s)
	}
	p.lead()
	return p.next
}

// planner is one run of Desired.
type planner struct {
	rules   Rules
	now     Map
	next    Map
	members []NodeID // all but those that were removed or left, in order
	staying []NodeID // members that are not drained, in order
	left    []NodeID
	active  map[NodeID]bool // get replicas and leads
	healthy map[NodeID]bool // are alive, and keep what they hold until it is elsewhere
	full    map[NodeID]bool
	zones   map[NodeID]string
	holds   map[NodeID]int // entity shards per member
	sets    [][]NodeID     // the holders of each entity shard, by shard
	frozen  []bool         // shards that are left as they are
}

func newPlanner(nodes []Node, now Map, r Rules) *planner {
	p := &planner{
		rules: r, now: now, next: make(Map, r.Shards+1),
		active: map[NodeID]bool{}, healthy: map[NodeID]bool{}, full: map[NodeID]bool{}, zones: map[NodeID]string{}, holds: map[NodeID]int{},
		sets: make([][]NodeID, r.Shards+1), frozen: make([]bool, r.Shards+1),
	}
	for _, n := range nodes {
		switch {
		case n.State == Removed:
			continue
		case n.Leave == Left:
			p.left = append(p.left, n.ID)
			continue
		}
		p.members = append(p.members, n.ID)
		p.zones[n.ID], p.full[n.ID] = n.Zone, n.Full
		p.healthy[n.ID] = n.State == Active
		if n.State == Active && n.Leave == Stays {
			p.active[n.ID] = true
		}
		if n.Leave == Stays {
			p.staying = append(p.staying, n.ID)
		}
	}
	slices.Sort(p.members)
	slices.Sort(p.staying)
	return p
}

// current is a shard's present assignment without removed nodes.
func (p *planner) current(s int) Assignment {
	if s >= len(p.now) {
		return Assignment{}
	}
	a := p.now[s]
	gone := func(n NodeID) bool { return !slices.Contains(p.members, n) }
	return Assignment{
		Voters:    slices.DeleteFunc(slices.Clone(a.Voters), gone),
		Learners:  slices.DeleteFunc(slices.Clone(a.Learners), gone),
		Preferred: a.Preferred,
	}
}

// lost reports that no voter of a shard is healthy. Then nothing may be taken away from it.
func (p *planner) lost(s int, a Assignment) bool {
	return s < len(p.now) && len(p.now[s].Voters) > 0 && !slices.ContainsFunc(a.Voters, func(n NodeID) bool { return p.healthy[n] })
}

func (p *planner) isActive(n NodeID) bool { return p.active[n] }

// place decides which nodes hold an entity shard.
func (p *planner) place(s int) {
	a := p.current(s)
	if p.lost(s, a) {
		p.frozen[s] = true
		p.next[s] = p.now[s]
		p.count(p.now[s].Replicas())
		return
	}
	set := a.Replicas()
	want := p.rules.copies(len(p.members))
	for len(set) > want {
		set = without(set, p.worst(set))
	}
	for len(set) < want {
		n, ok := p.candidate(set, p.takes)
		if !ok && len(set) == 0 { // some node must have it, with room or without
			n, ok = p.candidate(set, p.isActive)
		}
		if !ok {
			break
		}
		set = append(set, n)
	}
	set = p.replaceInactive(set)
	p.sets[s] = set
	p.count(set)
}

func (p *planner) count(set []NodeID) {
	for _, n := range set {
		p.holds[n]++
	}
}

// replaceInactive replaces dead nodes, then drained ones, by active ones as long as there
// are any.
func (p *planner) replaceInactive(set []NodeID) []NodeID {
	gone := slices.DeleteFunc(slices.Clone(set), p.isActive)
	slices.SortStableFunc(gone, func(a, b NodeID) int { return cmp.Compare(rank(p.healthy[a]), rank(p.healthy[b])) })
	for _, n := range gone {
		if spare, ok := p.replacement(set, n, p.takes); ok {
			set = append(without(set, n), spare)
		}
	}
	return set
}

// takes reports whether a node gets further replicas.
func (p *planner) takes(n NodeID) bool { return p.active[n] && !p.full[n] }

// Room decides whether a disk has room for further replicas: it needs that many free bytes,
// and 1.5 times as many once it was full, for hysteresis.
func Room(free, need uint64, full bool) bool {
	if full {
		need += need / 2
	}
	return free >= need
}

// rank sorts false before true.
func rank(is bool) int {
	if is {
		return 1
	}
	return 0
}

// worst is the node of the set to give up first: a dead one, else a drained one, else one
// in the zone that has the most of the set, and there the one that holds the most.
func (p *planner) worst(set []NodeID) NodeID {
	return slices.MaxFunc(set, func(a, b NodeID) int {
		return cmp.Or(
			cmp.Compare(rank(p.healthy[b]), rank(p.healthy[a])), cmp.Compare(rank(p.active[b]), rank(p.active[a])),
			cmp.Compare(p.crowd(set, a), p.crowd(set, b)), cmp.Compare(p.holds[a], p.holds[b]), cmp.Compare(a, b))
	})
}

// spread moves replicas from active nodes that hold much to such as hold little, as
// long as that evens them out and no set is less isolated by it. So in the end no
// two nodes of a zone differ by more than one, unless a disk is full, and nodes of
// different zones by no more than isolation demands.
func (p *planner) spread() {
	for p.moveOne() {
	}
}

// moveOne moves one replica, if that helps: between the two nodes that differ most,
// where that is possible.
func (p *planner) moveOne() bool {
	nodes := slices.DeleteFunc(slices.Clone(p.members), func(n NodeID) bool { return !p.active[n] })
	slices.SortStableFunc(nodes, func(a, b NodeID) int { return cmp.Compare(p.holds[b], p.holds[a]) })
	type pair struct{ from, to NodeID }
	var pairs []pair
	for _, from := range nodes {
		for _, to := range nodes {
			if p.takes(to) && p.holds[from]-p.holds[to] >= 2 {
				pairs = append(pairs, pair{from, to})
			}
		}
	}
	gap := func(m pair) int { return p.holds[m.from] - p.holds[m.to] }
	slices.SortStableFunc(pairs, func(a, b pair) int { return cmp.Compare(gap(b), gap(a)) })
	return slices.ContainsFunc(pairs, func(m pair) bool { return p.move(m.from, m.to) })
}

// move moves one replica from a node to another, if that is possible.
func (p *planner) move(from, to NodeID) bool {
	for s := 1; s <= p.rules.Shards; s++ {
		set := p.sets[s]
		if p.frozen[s] || !slices.Contains(set, from) || slices.Contains(set, to) || !p.isolates(set, from, to) {
			continue
		}
		p.sets[s] = append(without(set, from), to)
		p.holds[from]--
		p.holds[to]++
		return true
	}
	return false
}

// vote decides which nodes of an entity shard vote.
func (p *planner) vote(s int) {
	if p.frozen[s] {
		return
	}
	p.next[s] = elect(p.sets[s], p.current(s).Voters).normal()
}

// elect makes voters of a set. Of two, the second is a learner unless both vote already.
func elect(set, voters []NodeID) Assignment {
	a := Assignment{Voters: slices.Clone(set)}
	if len(set) != 2 {
		return a
	}
	old := slices.DeleteFunc(slices.Clone(set), func(n NodeID) bool { return !slices.Contains(voters, n) })
	if len(old) == 2 {
		return a
	}
	first := set[0]
	if len(old) == 1 {
		first = old[0]
	}
	return Assignment{Voters: []NodeID{first}, Learners: without(set, first)}
}
