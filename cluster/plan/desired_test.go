package plan_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"ssod/cluster/plan"
)

const shards = 16

func rules() plan.Rules { return plan.Rules{Shards: shards, Replicas: 3} }

func active(ids ...plan.NodeID) (nodes []plan.Node) {
	for _, id := range ids {
		nodes = append(nodes, plan.Node{ID: id})
	}
	return nodes
}

// same returns the voters and learners of every shard if they are the same.
func same(t *testing.T, m plan.Map) plan.Assignment {
	t.Helper()
	for s, a := range m {
		if !slices.Equal(a.Voters, m[0].Voters) || !slices.Equal(a.Learners, m[0].Learners) {
			t.Fatalf("shard %d: got %v and %v, shard 0 has %v and %v", s, a.Voters, a.Learners, m[0].Voters, m[0].Learners)
		}
	}
	return plan.Assignment{Voters: m[0].Voters, Learners: m[0].Learners}
}

func TestAClusterGrowsAndShrinks(t *testing.T) {
	var m plan.Map
	steps := []struct {
		name  string
		nodes []plan.Node
		want  plan.Assignment
	}{
		{"one node", active(1), plan.Assignment{Voters: []plan.NodeID{1}}},
		{"the second listens", active(1, 2), plan.Assignment{Voters: []plan.NodeID{1}, Learners: []plan.NodeID{2}}},
		{"three vote", active(1, 2, 3), plan.Assignment{Voters: []plan.NodeID{1, 2, 3}}},
		{"a dead one without a spare stays", []plan.Node{{ID: 1}, {ID: 2, State: plan.Dead}, {ID: 3}}, plan.Assignment{Voters: []plan.NodeID{1, 2, 3}}},
		{"two that voted go on voting", []plan.Node{{ID: 1}, {ID: 2, State: plan.Removed}, {ID: 3}}, plan.Assignment{Voters: []plan.NodeID{1, 3}}},
		{"another takes the place", []plan.Node{{ID: 1}, {ID: 2, State: plan.Removed}, {ID: 3}, {ID: 4}}, plan.Assignment{Voters: []plan.NodeID{1, 3, 4}}},
	}
	for _, step := range steps {
		m = plan.Desired(step.nodes, m, rules())
		if diff := cmp.Diff(step.want, same(t, m)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", step.name, diff)
		}
	}
}

func TestAReplacementTakesTheSameStep(t *testing.T) {
	m := plan.Desired(active(1, 2, 3), nil, rules())
	m = plan.Desired([]plan.Node{{ID: 1}, {ID: 2, State: plan.Removed}, {ID: 3}, {ID: 4}}, m, rules())
	want := plan.Assignment{Voters: []plan.NodeID{1, 3, 4}}
	if diff := cmp.Diff(want, same(t, m)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestTheLastVoterIsNotTakenAway(t *testing.T) {
	m := plan.Desired(active(1, 2), nil, rules())
	gone := plan.Desired([]plan.Node{{ID: 1, State: plan.Removed}, {ID: 2}}, m, rules())
	if diff := cmp.Diff(same(t, m), same(t, gone)); diff != "" {
		t.Errorf("the map changed (-want +got):\n%s", diff)
	}
}

func TestTheMetaGroupHasSevenVotersAtMost(t *testing.T) {
	for n, want := range map[int][2]int{1: {1, 0}, 2: {1, 1}, 3: {3, 0}, 4: {3, 1}, 5: {5, 0}, 6: {5, 1}, 7: {7, 0}, 8: {7, 1}, 9: {7, 2}} {
		var nodes []plan.Node
		var m plan.Map
		for id := range n {
			nodes = append(nodes, plan.Node{ID: plan.NodeID(id + 1)})
			m = plan.Desired(nodes, m, rules())
		}
		if got := [2]int{len(m[0].Voters), len(m[0].Learners)}; got != want {
			t.Errorf("%d nodes: got %d voters and %d learners, want %d and %d", n, got[0], got[1], want[0], want[1])
		}
	}
}

// history is a cluster whose nodes come, die, return and are removed.
type history struct {
	nodes []plan.Node
	now   plan.Map
	rules plan.Rules
}

func (h *history) change(t *rapid.T) {
	var alive []int
	for i, n := range h.nodes {
		if n.State != plan.Removed {
			alive = append(alive, i)
		}
	}
	if len(alive) == 0 || len(alive) < 7 && rapid.Bool().Draw(t, "join") {
		h.nodes = append(h.nodes, plan.Node{ID: plan.NodeID(len(h.nodes) + 1)})
		return
	}
	i := rapid.SampledFrom(alive).Draw(t, "node")
	h.nodes[i].State = rapid.SampledFrom([]plan.State{plan.Active, plan.Dead, plan.Removed}).Draw(t, "state")
}

func (h *history) state(id plan.NodeID) plan.State { return h.nodes[id-1].State }

func (h *history) count(s plan.State) (n int) {
	for _, node := range h.nodes {
		if node.State == s {
			n++
		}
	}
	return n
}

func TestDesiredHolds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := &history{rules: plan.Rules{Shards: rapid.IntRange(1, 20).Draw(t, "shards"), Replicas: rapid.IntRange(1, 5).Draw(t, "replicas")}}
		for range rapid.IntRange(1, 15).Draw(t, "changes") {
			h.change(t)
			before := h.now
			h.now = plan.Desired(h.nodes, before, h.rules)
			h.checkStable(t, before)
			for s := range h.now {
				h.checkShard(t, s, before)
			}
			h.checkBalance(t)
		}
	})
}

// checkStable demands the same result for nodes in another order, and no
// further wish once the map is as desired.
func (h *history) checkStable(t *rapid.T, before plan.Map) {
	shuffled := rapid.Permutation(h.nodes).Draw(t, "order")
	if diff := cmp.Diff(h.now, plan.Desired(shuffled, before, h.rules)); diff != "" {
		t.Fatalf("the order of nodes matters:\n%s", diff)
	}
	if diff := cmp.Diff(h.now, plan.Desired(h.nodes, h.now, h.rules)); diff != "" {
		t.Fatalf("desired is not stable:\n%s", diff)
	}
}

func (h *history) checkShard(t *rapid.T, s int, before plan.Map) {
	a := h.now[s]
	seen := map[plan.NodeID]bool{}
	for _, n := range a.Replicas() {
		if seen[n] {
			t.Fatalf("shard %d: node %d twice in %v", s, n, a)
		}
		seen[n] = true
	}
	if a.Preferred != 0 && (!slices.Contains(a.Voters, a.Preferred) || h.state(a.Preferred) != plan.Active) {
		t.Fatalf("shard %d: node %d should lead %v", s, a.Preferred, a)
	}
	if before == nil {
		return
	}
	was := before[s]
	if !slices.ContainsFunc(was.Voters, func(n plan.NodeID) bool { return h.state(n) == plan.Active }) {
		if len(was.Voters) > 0 && !slices.Equal(was.Voters, a.Voters) {
			t.Fatalf("shard %d has no healthy voter: %v became %v", s, was, a)
		}
		return
	}
	for n := range seen {
		if h.state(n) == plan.Removed {
			t.Fatalf("shard %d: node %d was removed: %v", s, n, a)
		}
	}
	if want := min(h.rules.Replicas, h.count(plan.Active)+h.count(plan.Dead)); s > 0 && len(seen) > want {
		t.Fatalf("shard %d: %d replicas, want %d at most", s, len(seen), want)
	}
	if want := min(h.rules.Replicas, h.count(plan.Active)); s > 0 && len(seen) < want {
		t.Fatalf("shard %d: %d replicas, want %d at least", s, len(seen), want)
	}
}

// checkBalance compares what the active nodes hold.
func (h *history) checkBalance(t *rapid.T) {
	if h.count(plan.Dead) > 0 || h.rules.Replicas == 1 || h.count(plan.Active) < 3 {
		return // replicas that cannot be moved may weigh anywhere
	}
	holds := map[plan.NodeID]int{}
	for s, a := range h.now {
		for _, n := range a.Replicas() {
			if h.state(n) == plan.Removed || len(a.Voters) == 1 {
				return
			}
			if s > 0 {
				holds[n]++
			}
		}
	}
	low, high := 1<<30, 0
	for _, n := range h.nodes {
		if n.State == plan.Active {
			low, high = min(low, holds[n.ID]), max(high, holds[n.ID])
		}
	}
	if high-low > 1 {
		t.Fatalf("active nodes hold %d to %d replicas: %v", low, high, h.now)
	}
}

func TestANewNodeMovesItsShareOnly(t *testing.T) {
	for n := 3; n < 8; n++ {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			var nodes []plan.Node
			var m plan.Map
			for id := range n {
				nodes = append(nodes, plan.Node{ID: plan.NodeID(id + 1)})
				m = plan.Desired(nodes, m, rules())
			}
			next := plan.Desired(append(nodes, plan.Node{ID: plan.NodeID(n + 1)}), m, rules())
			moved := 0
			for s := 1; s <= shards; s++ {
				for _, id := range next[s].Replicas() {
					if !m[s].Has(id) {
						moved++
					}
				}
			}
			if want := shards * 3 / (n + 1); moved != want {
				t.Errorf("%d replicas moved, want %d", moved, want)
			}
		})
	}
}

func TestLeadersAreSpread(t *testing.T) {
	var m plan.Map
	for n := range 3 {
		m = plan.Desired(active(1, 2, 3)[:n+1], m, rules())
	}
	leads := map[plan.NodeID]int{}
	for _, a := range m {
		leads[a.Preferred]++
	}
	for _, id := range []plan.NodeID{1, 2, 3} {
		if got := leads[id]; got < 5 || got > 6 {
			t.Errorf("node %d leads %d of %d shards", id, got, shards+1)
		}
	}
}
