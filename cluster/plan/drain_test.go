package plan_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"ssod/cluster/plan"
)

// marked are nodes 1 and on: a letter each, a for active, d for dead, l for one that is
// drained, x for one that is and is dead, L for one that has left, r for removed.
func marked(states string) (nodes []plan.Node) {
	for i, c := range states {
		n := plan.Node{ID: plan.NodeID(i + 1)}
		switch c {
		case 'd':
			n.State = plan.Dead
		case 'l':
			n.Leave = plan.Leaves
		case 'x':
			n.State, n.Leave = plan.Dead, plan.Leaves
		case 'L':
			n.Leave = plan.Left
		case 'r':
			n.State = plan.Removed
		}
		nodes = append(nodes, n)
	}
	return nodes
}

// drained is what becomes of the map of a grown cluster, one state of its nodes after
// the other.
func drained(replicas int, states ...string) (m plan.Map) {
	r := plan.Rules{Shards: shards, Replicas: replicas}
	m = grown(marked(states[0]), r)
	for _, s := range states[1:] {
		m = plan.Desired(marked(s), m, r)
	}
	return m
}

func TestWhatADrainedNodeKeeps(t *testing.T) {
	tests := []struct {
		name     string
		replicas int
		states   []string
		keeps    []plan.NodeID // drained nodes that go on to hold some of the shards
		meta     []plan.NodeID // voters of the meta group
	}{
		{"four become three", 3, []string{"aaaa", "aaal"}, nil, []plan.NodeID{1, 2, 3}},
		{"five become three at once", 3, []string{"aaaaa", "aaall"}, nil, []plan.NodeID{1, 2, 3}},
		{"five become three, the founder goes", 3, []string{"aaaaa", "llaaa"}, nil, []plan.NodeID{3, 4, 5}},
		{"five become three one after the other", 3, []string{"aaaaa", "aaaal", "aaaaL", "aaalL"}, nil, []plan.NodeID{1, 2, 3}},
		{"seven become five", 5, []string{"aaaaaaa", "aaaaall"}, nil, []plan.NodeID{1, 2, 3, 4, 5}},
		{"three become one, with one copy", 1, []string{"aaa", "all"}, nil, []plan.NodeID{1}},
		{"three become two, with one copy", 1, []string{"aaa", "lla"}, nil, []plan.NodeID{3}},
		{"two become one, with one copy", 1, []string{"aa", "la"}, nil, []plan.NodeID{2}},
		{"nobody has room for a third copy", 3, []string{"aaa", "aal"}, []plan.NodeID{3}, []plan.NodeID{1, 2}},
		{"another one dies meanwhile", 3, []string{"aaaa", "aaal", "aadl"}, nil, []plan.NodeID{1, 2, 3}},
		{"and was dead before", 3, []string{"aaaa", "aaad", "lada", "laaa"}, nil, []plan.NodeID{2, 3, 4}},
		{"it dies half-way", 3, []string{"aaaa", "aaal", "aaax"}, nil, []plan.NodeID{1, 2, 3}},
		{"a replacement has died", 3, []string{"aaaa", "aadl"}, []plan.NodeID{4}, []plan.NodeID{1, 2, 3}},
		{"it is taken back", 3, []string{"aaaa", "aaal", "aaaa"}, nil, []plan.NodeID{1, 2, 3}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := drained(tt.replicas, tt.states...)
			last := marked(tt.states[len(tt.states)-1])
			var keeps []plan.NodeID
			for _, n := range last {
				held := slices.ContainsFunc(m[1:], func(a plan.Assignment) bool { return a.Has(n.ID) })
				if n.Leave != plan.Stays && held {
					keeps = append(keeps, n.ID)
				}
			}
			if diff := cmp.Diff(tt.keeps, keeps); diff != "" {
				t.Errorf("drained nodes that hold shards (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tt.meta, m[0].Voters); diff != "" {
				t.Errorf("voters of the meta group (-want +got):\n%s", diff)
			}
		})
	}
}

// Every node listens to the meta group, those too that have left.
func TestWhoHasLeftListens(t *testing.T) {
	m := drained(3, "aaaa", "aaaL")
	if diff := cmp.Diff([]plan.NodeID{4}, m[0].Learners); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// drain changes how a node of the history takes part, as operators may: one that holds
// nothing can have left.
func (h *history) drain(t *rapid.T) {
	var all []int
	for i, n := range h.nodes {
		if n.State != plan.Removed {
			all = append(all, i)
		}
	}
	if len(all) == 0 {
		return
	}
	n := &h.nodes[rapid.SampledFrom(all).Draw(t, "drained")]
	held := slices.ContainsFunc(h.now, func(a plan.Assignment) bool { return a.Votes(n.ID) }) ||
		len(h.now) > 0 && slices.ContainsFunc(h.now[1:], func(a plan.Assignment) bool { return a.Has(n.ID) })
	switch {
	case n.Leave == plan.Leaves && !held:
		n.Leave = rapid.SampledFrom([]plan.Leave{plan.Left, plan.Stays}).Draw(t, "leave")
	case n.Leave == plan.Stays:
		n.Leave = plan.Leaves
	default:
		n.Leave = plan.Stays
	}
}

// Whatever nodes are drained, die, come and return: no shard has fewer copies because
// of a drain, nobody who has left holds any, and a drained node only what no other can.
func TestADrainLowersNoCopies(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := &history{rules: plan.Rules{Shards: rapid.IntRange(1, 12).Draw(t, "shards"), Replicas: rapid.SampledFrom([]int{1, 3, 5}).Draw(t, "replicas")}}
		for range rapid.IntRange(1, 20).Draw(t, "changes") {
			if rapid.Bool().Draw(t, "drains") {
				h.drain(t)
			} else {
				h.change(t)
			}
			before := h.now
			h.now = plan.Desired(h.nodes, before, h.rules)
			h.checkStable(t, before)
			for s := 1; s < len(h.now); s++ {
				if err := h.kept(s, before); err != nil {
					t.Fatalf("shard %d: %v: %v of %v", s, err, h.now[s], h.nodes)
				}
			}
		}
	})
}

// kept says what a drain has done to a shard that it must not.
func (h *history) kept(s int, before plan.Map) error {
	node := func(n plan.NodeID) plan.Node { return h.nodes[n-1] }
	a := h.now[s]
	var was plan.Assignment
	if before != nil {
		was = before[s]
	}
	if len(was.Voters) > 0 && !slices.ContainsFunc(was.Voters, func(n plan.NodeID) bool { return node(n).State == plan.Active && node(n).Leave != plan.Left }) {
		return nil // what is left of it stays where it is
	}
	had := slices.DeleteFunc(was.Replicas(), func(n plan.NodeID) bool { return node(n).State == plan.Removed || node(n).Leave == plan.Left })
	if len(a.Replicas()) < min(len(had), h.rules.Replicas) {
		return fmt.Errorf("%d copies became %d", len(had), len(a.Replicas()))
	}
	if n := a.Preferred; n != 0 && (node(n).State != plan.Active || node(n).Leave != plan.Stays) {
		return fmt.Errorf("node %d should lead", n)
	}
	takers := 0
	for _, n := range h.nodes {
		if n.State == plan.Active && n.Leave == plan.Stays && !a.Has(n.ID) {
			takers++
		}
	}
	for _, n := range a.Replicas() {
		switch {
		case node(n).Leave == plan.Left:
			return fmt.Errorf("node %d has left", n)
		case node(n).Leave == plan.Leaves && takers > 0:
			return fmt.Errorf("node %d is drained and another could hold it", n)
		}
	}
	return nil
}

// A group goes from three voters to one, or to three others, without a moment at which
// it counts on a replica that has not caught up, or has no live majority: whoever leads
// it, and whatever the order in which replicas come and catch up.
func TestAGroupIsDrainedSafely(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		from := rapid.SampledFrom([][]plan.NodeID{{1, 2, 3}, {1, 2}, {1}, {1, 2, 3, 4, 5}}).Draw(t, "voters")
		to := rapid.SampledFrom([][]plan.NodeID{{4}, {1}, {3, 4, 5}, {4, 5, 6}, {1, 4, 5}, {2, 3}}).Draw(t, "target")
		g := newDrainedGroup(from)
		place := plan.Assignment{Voters: to, Preferred: to[0]}
		for range 60 {
			g.catchUp(t)
			step := plan.Next(place, g.Group)
			if step.Kind == plan.Settled {
				g.check(t, to)
				return
			}
			g.take(t, step)
		}
		t.Fatalf("%v does not become %v: %+v", from, to, g.Group)
	})
}

// drainedGroup is a group whose leader has written an entry after each change.
type drainedGroup struct{ plan.Group }

func newDrainedGroup(voters []plan.NodeID) *drainedGroup {
	g := &drainedGroup{plan.Group{Voters: replicas(voters...), Behind: map[plan.ReplicaID]int{}, Alive: func(plan.NodeID) bool { return true }}}
	g.Self = g.Voters[0]
	for _, r := range g.Voters {
		g.Behind[r] = 0
	}
	return g
}

// catchUp lets some of the replicas that lack something have it.
func (g *drainedGroup) catchUp(t *rapid.T) {
	for _, r := range g.Learners {
		if rapid.Bool().Draw(t, "catches up") {
			g.Behind[r] = 0
		}
	}
}

func (g *drainedGroup) take(t *rapid.T, step plan.Step) {
	switch step.Kind {
	case plan.Add:
		g.Learners = append(g.Learners, replica(step.Node))
	case plan.HandOver:
		if !slices.Contains(g.Voters, step.To) || g.lacks(step.To) {
			t.Fatalf("%v gets the lead: %+v", step.To, g.Group)
		}
		g.Self = step.To
	case plan.Reform:
		next := plan.After(g.Voters, step.Changes)
		for _, r := range next {
			if g.lacks(r) {
				t.Fatalf("%v votes and has not caught up: %+v", r, g.Group)
			}
		}
		if !slices.Contains(next, g.Self) {
			t.Fatalf("the leader takes its own vote: %+v", g.Group)
		}
		gone := func(r plan.ReplicaID) bool {
			return slices.ContainsFunc(step.Changes, func(c plan.Change) bool { return c.Replica == r })
		}
		g.Voters, g.Learners = next, slices.DeleteFunc(g.Learners, gone)
	}
}

// lacks reports whether a replica has not caught up.
func (g *drainedGroup) lacks(r plan.ReplicaID) bool {
	behind, known := g.Behind[r]
	return !known || behind > 0
}

func (g *drainedGroup) check(t *rapid.T, to []plan.NodeID) {
	if diff := cmp.Diff(replicas(to...), g.Voters); diff != "" || len(g.Learners) > 0 {
		t.Fatalf("settled with learners %v (-want +got):\n%s", g.Learners, diff)
	}
}
