package plan_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"ssod/cluster/plan"
)

// zoned are nodes in zones, the first letter of each word, with ids from 1.
func zoned(zones ...string) (nodes []plan.Node) {
	for i, z := range zones {
		nodes = append(nodes, plan.Node{ID: plan.NodeID(i + 1), Zone: z})
	}
	return nodes
}

// grown is the map of a cluster whose nodes came one after the other.
func grown(nodes []plan.Node, r plan.Rules) (m plan.Map) {
	for i := range nodes {
		m = plan.Desired(nodes[:i+1], m, r)
	}
	return m
}

// perZone is how many nodes of a set are in each zone.
func perZone(nodes []plan.Node, set []plan.NodeID) map[string]int {
	zones := map[string]int{}
	for _, n := range nodes {
		if slices.Contains(set, n.ID) {
			zones[n.Zone]++
		}
	}
	return zones
}

// squares is the sum of the squared numbers: what even spreading makes least.
func squares(zones map[string]int) (sum int) {
	for _, n := range zones {
		sum += n * n
	}
	return sum
}

// best is the least that squares can be for so many of some nodes.
func best(nodes []plan.Node, size int) int {
	room, used := map[string]int{}, map[string]int{}
	for _, n := range nodes {
		room[n.Zone]++
	}
	for range size {
		to, found := "", false
		for z := range room {
			if used[z] < room[z] && (!found || used[z] < used[to]) {
				to, found = z, true
			}
		}
		used[to]++
	}
	return squares(used)
}

func TestNoZoneHoldsAMajority(t *testing.T) {
	for _, zones := range [][]string{
		{"a", "b", "c"},
		{"a", "a", "b", "b", "c", "c"},
		{"a", "a", "a", "b", "b", "b", "c", "c", "c"},
		{"a", "a", "a", "a", "b", "b", "c", "c"},
		{"a", "a", "b", "c"},
		{"c", "b", "b", "a", "b", "a"},
	} {
		for _, replicas := range []int{3, 5} {
			nodes := zoned(zones...)
			m := grown(nodes, plan.Rules{Shards: shards, Replicas: replicas})
			for s, a := range m {
				if len(a.Voters) < 3 {
					t.Errorf("%v, %d replicas, shard %d: %v", zones, replicas, s, a)
				}
				for z, n := range perZone(nodes, a.Voters) {
					if 2*n > len(a.Voters) {
						t.Errorf("%v, %d replicas, shard %d: zone %s holds %d of %v", zones, replicas, s, z, n, a.Voters)
					}
				}
			}
		}
	}
}

// A zone that is away waits, since it comes back whole; one whose nodes an operator
// has removed does not exist any more.
func TestAZoneThatDiesIsNotCopiedIntoTheOthers(t *testing.T) {
	nodes := zoned("a", "a", "b", "b", "c", "c")
	m := grown(nodes, rules())
	nodes[4].State = plan.Dead
	one := plan.Desired(nodes, m, rules())
	for s, a := range one[1:] {
		if a.Has(5) || !slices.Equal(a.Voters, m[s+1].Voters) && !a.Has(6) {
			t.Errorf("one node of the zone is dead, shard %d: %v, was %v", s+1, a, m[s+1])
		}
	}
	nodes[5].State = plan.Dead
	if diff := cmp.Diff(voters(one), voters(plan.Desired(nodes, one, rules()))); diff != "" {
		t.Errorf("the whole zone is dead (-want +got):\n%s", diff)
	}
	nodes[4].State, nodes[5].State = plan.Removed, plan.Removed
	for s, a := range plan.Desired(nodes, one, rules()) {
		if len(a.Voters) != 3 || a.Has(5) || a.Has(6) {
			t.Errorf("the zone is removed, shard %d: %v", s, a)
		}
	}
}

// A zone whose only node is drained is given up, also when that node is dead.
func TestAZoneIsDrained(t *testing.T) {
	for _, state := range []plan.State{plan.Active, plan.Dead} {
		nodes := zoned("a", "a", "b", "b", "c")
		m := grown(nodes, rules())
		nodes[4].Leave, nodes[4].State = plan.Leaves, state
		for s, a := range plan.Desired(nodes, m, rules()) {
			if s > 0 && (a.Has(5) || len(a.Voters) != 3) {
				t.Errorf("shard %d: %v, was %v", s, a, m[s])
			}
		}
	}
}

func voters(m plan.Map) (all [][]plan.NodeID) {
	for _, a := range m {
		all = append(all, a.Voters)
	}
	return all
}

// Naming the zones of a running cluster node by node moves nothing before the last
// one is named, and then what must move.
func TestZonesAreNamedNodeByNode(t *testing.T) {
	nodes := zoned("", "", "", "", "", "")
	m := grown(nodes, rules())
	for i, z := range []string{"a", "a", "b", "b", "c", "c"} {
		nodes[i].Zone = z
		next := plan.Desired(nodes, m, rules())
		if diff := cmp.Diff(voters(m), voters(next)); i < 5 && diff != "" {
			t.Fatalf("%d nodes have a zone (-want +got):\n%s", i+1, diff)
		}
		m = next
	}
	for s, a := range m {
		if len(perZone(nodes, a.Voters)) != 3 {
			t.Errorf("shard %d: %v", s, a.Voters)
		}
	}
}

// A founder holds everything, with room or without, and goes on to when others have
// room.
func TestAFounderMayBeFull(t *testing.T) {
	nodes := []plan.Node{{ID: 1, Full: true}, {ID: 2, Full: true}, {ID: 3, Full: true}}
	m := grown(nodes, rules())
	nodes[1].Full, nodes[2].Full = false, false
	for s, a := range grown(nodes, rules()) {
		if s > 0 && (!slices.Equal(m[s].Voters, []plan.NodeID{1}) || len(m[s].Learners) > 0) {
			t.Errorf("no disk has room, shard %d: %v", s, m[s])
		}
		if !slices.Equal(a.Voters, []plan.NodeID{1, 2, 3}) {
			t.Errorf("two disks have room, shard %d: %v", s, a)
		}
	}
}

// A disk without room gets nothing more, and keeps what it has.
func TestAFullDiskGetsNothingMore(t *testing.T) {
	nodes := zoned("a", "a", "b", "b", "c")
	nodes[4].Full = true
	m := grown(nodes, rules())
	for s, a := range m[1:] {
		if a.Has(5) || len(a.Voters) != 3 {
			t.Errorf("shard %d: %v", s+1, a)
		}
	}
	nodes[4].Full = false
	m = plan.Desired(nodes, m, rules())
	nodes[4].Full = true
	if diff := cmp.Diff(m, plan.Desired(nodes, m, rules())); diff != "" {
		t.Errorf("the disk has filled (-want +got):\n%s", diff)
	}
	for s, a := range m[1:] {
		if !a.Has(5) {
			t.Errorf("shard %d is not in zone c: %v", s+1, a)
		}
	}
}

// zones is a cluster whose nodes come, die, return, are removed, fill up, and are
// put into zones.
type zones struct {
	history
	names []string
}

func (z *zones) change(t *rapid.T) {
	z.history.change(t)
	i := rapid.IntRange(0, len(z.nodes)-1).Draw(t, "which")
	z.nodes[i].Full = rapid.IntRange(0, 5).Draw(t, "full") == 0
	if last := len(z.nodes) - 1; z.nodes[last].Zone == "" {
		z.nodes[last].Zone = rapid.SampledFrom(z.names).Draw(t, "zone")
	}
	if rapid.IntRange(0, 9).Draw(t, "moves") == 0 {
		z.nodes[i].Zone = rapid.SampledFrom(z.names).Draw(t, "zone")
	}
}

// settled reports whether nothing stands in the way of placing replicas.
func (z *zones) settled() bool {
	for s, a := range z.now {
		if len(a.Voters) < 3 && s > 0 || slices.ContainsFunc(a.Replicas(), func(n plan.NodeID) bool { return z.state(n) == plan.Removed }) {
			return false
		}
	}
	return !slices.ContainsFunc(z.nodes, func(n plan.Node) bool {
		return n.State == plan.Dead || n.State == plan.Active && (n.Full || n.Zone == "")
	})
}

func (z *zones) there() []plan.Node {
	return slices.DeleteFunc(slices.Clone(z.nodes), func(n plan.Node) bool { return n.State == plan.Removed })
}

func TestZonesHold(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		z := &zones{
			history: history{rules: plan.Rules{Shards: rapid.IntRange(1, 20).Draw(t, "shards"), Replicas: rapid.SampledFrom([]int{3, 5}).Draw(t, "replicas")}},
			names:   rapid.SampledFrom([][]string{{"a"}, {"a", "b"}, {"a", "b", "c"}, {"a", "b", "c", "d"}, {"", "a", "b", "c"}}).Draw(t, "zones"),
		}
		for range rapid.IntRange(1, 20).Draw(t, "changes") {
			z.change(t)
			before := z.now
			z.now = plan.Desired(z.nodes, before, z.rules)
			z.checkStable(t, before)
			for s := range z.now {
				if before != nil {
					z.checkIsolation(t, s, before[s])
				}
			}
			if z.settled() {
				z.checkZones(t)
				z.checkZoneBalance(t)
			}
			z.checkLeaders(t)
		}
	})
}

// checkIsolation demands that a set that did not shrink or grow is no worse spread
// than before.
func (z *zones) checkIsolation(t *rapid.T, s int, was plan.Assignment) {
	old, now := was.Replicas(), z.now[s].Replicas()
	if s == 0 {
		old, now = was.Voters, z.now[s].Voters
	}
	gone := func(n plan.NodeID) bool { return z.state(n) == plan.Removed }
	if slices.ContainsFunc(old, gone) || len(old) != len(now) {
		return
	}
	o, n := perZone(z.nodes, old), perZone(z.nodes, now)
	if len(n) < len(o) || squares(n) > squares(o) {
		t.Fatalf("shard %d: %v in %v became %v in %v", s, old, o, now, n)
	}
	for _, id := range now {
		if i := int(id) - 1; s > 0 && z.nodes[i].Full && !slices.Contains(old, id) {
			t.Fatalf("shard %d: node %d is full: %v became %v", s, id, old, now)
		}
	}
}

// checkZones demands the best isolation that there can be.
func (z *zones) checkZones(t *rapid.T) {
	for s, a := range z.now {
		if got, want := squares(perZone(z.nodes, a.Voters)), best(z.there(), len(a.Voters)); got != want {
			t.Fatalf("shard %d: %v in %v, that could be %d and is %d", s, a.Voters, perZone(z.nodes, a.Voters), want, got)
		}
	}
}

// checkZoneBalance demands that the nodes of a zone hold equally many.
func (z *zones) checkZoneBalance(t *rapid.T) {
	holds := map[plan.NodeID]int{}
	for _, a := range z.now[1:] {
		for _, n := range a.Replicas() {
			holds[n]++
		}
	}
	for _, a := range z.there() {
		for _, b := range z.there() {
			if a.Zone == b.Zone && holds[a.ID]-holds[b.ID] > 1 {
				t.Fatalf("in zone %q nodes %d and %d hold %d and %d", a.Zone, a.ID, b.ID, holds[a.ID], holds[b.ID])
			}
		}
	}
}

// checkLeaders demands that no leadership can be passed on directly to a node that
// leads two less.
func (z *zones) checkLeaders(t *rapid.T) {
	leads := map[plan.NodeID]int{}
	for _, a := range z.now {
		leads[a.Preferred]++
	}
	for s, a := range z.now {
		for _, n := range a.Voters {
			if z.state(n) == plan.Active && a.Preferred != 0 && leads[a.Preferred]-leads[n] > 1 {
				t.Fatalf("shard %d: node %d leads %d, node %d %d", s, a.Preferred, leads[a.Preferred], n, leads[n])
			}
		}
	}
}

// Without zones, or with a single one, everything is as if there were none.
func TestOneZoneIsNone(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := &history{rules: plan.Rules{Shards: 12, Replicas: rapid.IntRange(1, 5).Draw(t, "replicas")}}
		for range rapid.IntRange(1, 12).Draw(t, "changes") {
			h.change(t)
			one := slices.Clone(h.nodes)
			for i := range one {
				one[i].Zone = "a"
			}
			next := plan.Desired(h.nodes, h.now, h.rules)
			if diff := cmp.Diff(next, plan.Desired(one, h.now, h.rules)); diff != "" {
				t.Fatalf("a single zone matters (-none +one):\n%s", diff)
			}
			h.now = next
		}
	})
}

func TestLeadersAreSpreadOverZones(t *testing.T) {
	for _, zones := range [][]string{{"a", "a", "b", "b", "c", "c"}, {"a", "b", "b", "c", "c"}, {"a", "a", "b", "b", "b", "c", "c", "c"}} {
		nodes := zoned(zones...)
		m := grown(nodes, plan.Rules{Shards: 64, Replicas: 3})
		leads, of := map[plan.NodeID]int{}, map[string]int{}
		for _, a := range m {
			leads[a.Preferred]++
			of[nodes[a.Preferred-1].Zone]++
		}
		for _, n := range nodes {
			if got, want := leads[n.ID], 65/len(nodes); got < want-1 || got > want+2 {
				t.Errorf("%v: node %d leads %d of 65", zones, n.ID, got)
			}
		}
		t.Log(fmt.Sprint(zones, leads, of))
	}
}

// A whole new zone takes from the others what it must hold, and nothing else moves.
func TestANewZoneMovesItsShareOnly(t *testing.T) {
	nodes := zoned("a", "a", "b", "b", "c", "c")
	m := grown(nodes[:4], rules())
	next := plan.Desired(nodes, m, rules())
	moved := 0
	for s := 1; s <= shards; s++ {
		for _, n := range next[s].Replicas() {
			if !m[s].Has(n) {
				moved++
			}
		}
	}
	if moved != shards {
		t.Errorf("%d replicas moved, want %d", moved, shards)
	}
}
