package plan_test

import (
	"errors"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"ssod/cluster/plan"
)

func replicas(nodes ...plan.NodeID) (rs []plan.ReplicaID) {
	for _, n := range nodes {
		rs = append(rs, replica(n))
	}
	return rs
}

// among are functions that know some nodes.
func among(nodes ...plan.NodeID) func(plan.NodeID) bool {
	return func(n plan.NodeID) bool {
		return slices.Contains(nodes, n)
	}
}

func outlook(live, gone func(plan.NodeID) bool) plan.Outlook {
	return plan.Outlook{Live: func(_ int, r plan.ReplicaID) bool { return live(r.Node()) }, Gone: gone}
}

func TestWhoMayBeLost(t *testing.T) {
	trio := plan.Config{Voters: replicas(1, 2, 3)}
	tests := []struct {
		name   string
		groups []plan.Config
		lose   plan.NodeID
		live   []plan.NodeID
		gone   []plan.NodeID
		want   *plan.Shortage
	}{
		{"one of three", []plan.Config{trio}, 2, []plan.NodeID{1, 3}, nil, nil},
		{"it votes nowhere", []plan.Config{{Voters: replicas(1), Learners: replicas(2)}}, 2, []plan.NodeID{1}, nil, nil},
		{
			"the only voter",
			[]plan.Config{{Voters: replicas(1), Learners: replicas(2)}},
			1,
			[]plan.NodeID{2},
			nil,
			&plan.Shortage{Shards: 1, Of: 1, Sole: true, Forever: true},
		},
		{"another one is away", []plan.Config{trio}, 2, []plan.NodeID{3}, nil, &plan.Shortage{Shards: 1, Left: 1, Of: 3}},
		{
			"the replacement of another has not caught up",
			[]plan.Config{{Voters: replicas(1, 2, 3), Learners: replicas(4)}},
			2,
			[]plan.NodeID{3, 4},
			[]plan.NodeID{1},
			&plan.Shortage{Shards: 1, Left: 1, Of: 3, Forever: true},
		},
		{"it has", []plan.Config{{Voters: replicas(2, 3, 4)}}, 2, []plan.NodeID{3, 4}, []plan.NodeID{1}, nil},
		{
			"half-way, the old set",
			[]plan.Config{{Voters: replicas(2, 3, 4), Outgoing: replicas(1, 2, 3)}},
			2,
			[]plan.NodeID{3, 4},
			[]plan.NodeID{1},
			&plan.Shortage{Shards: 1, Left: 1, Of: 3, Forever: true},
		},
		{
			"half-way, the new set",
			[]plan.Config{{Voters: replicas(2, 3, 4), Outgoing: replicas(1, 2, 3)}},
			2,
			[]plan.NodeID{1, 3},
			nil, &plan.Shortage{Shards: 1, Left: 1, Of: 3},
		},
		{
			"a set that may come",
			[]plan.Config{{Voters: replicas(1, 3, 5), Next: [][]plan.ReplicaID{replicas(1, 2, 4)}}},
			2,
			[]plan.NodeID{1, 3, 5},
			nil, &plan.Shortage{Shards: 1, Left: 1, Of: 3},
		},
		{
			"a set that may come and may not",
			[]plan.Config{{Voters: replicas(1), Next: [][]plan.ReplicaID{replicas(2)}}},
			2,
			[]plan.NodeID{1},
			nil, &plan.Shortage{Shards: 1, Of: 1, Sole: true},
		},
		{"nobody knows", []plan.Config{trio, {}}, 2, []plan.NodeID{1, 3}, nil, &plan.Shortage{Shard: 1, Shards: 1, Unknown: true}},
		{"a group without a majority that has nothing to do with it", []plan.Config{{Voters: replicas(4, 5, 6)}}, 2, nil, nil, nil},
		{
			"growing broke off at the second shard",
			[]plan.Config{trio, {Voters: replicas(1), Learners: replicas(2)}, {Voters: replicas(1), Learners: replicas(2)}},
			1,
			[]plan.NodeID{2, 3},
			nil, &plan.Shortage{Shard: 1, Shards: 2, Of: 1, Sole: true, Forever: true},
		},
		{
			"what lasts for ever is told first",
			[]plan.Config{{}, {Voters: replicas(1)}},
			1, nil, nil,
			&plan.Shortage{Shard: 1, Shards: 2, Of: 1, Sole: true, Forever: true},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := plan.MayLose(tt.groups, tt.lose, outlook(among(tt.live...), among(tt.gone...)))
			got, _ := errors.AsType[*plan.Shortage](err)
			if (got == nil) != (tt.want == nil) || got != nil && *got != *tt.want {
				t.Errorf("got %+v (%v), want %+v", got, err, tt.want)
			}
		})
	}
}

func TestHowManyMayBeLost(t *testing.T) {
	trio, five := plan.Config{Voters: replicas(1, 2, 3)}, plan.Config{Voters: replicas(1, 2, 3, 4, 5)}
	tests := []struct {
		name   string
		groups []plan.Config
		live   []plan.NodeID
		want   int
	}{
		{"one node", []plan.Config{{Voters: replicas(1)}}, []plan.NodeID{1}, 0},
		{"three", []plan.Config{trio, trio}, []plan.NodeID{1, 2, 3}, 1},
		{"two of three", []plan.Config{trio, trio}, []plan.NodeID{1, 3}, 0},
		{"one of three", []plan.Config{trio, trio}, []plan.NodeID{3}, -1},
		{"five", []plan.Config{five}, []plan.NodeID{1, 2, 3, 4, 5}, 2},
		{"the weakest counts", []plan.Config{five, trio}, []plan.NodeID{1, 2, 3, 4, 5}, 1},
		{"both halves count", []plan.Config{{Voters: replicas(1, 2, 3), Outgoing: replicas(1)}}, []plan.NodeID{1, 2, 3}, 0},
		{"what may come counts", []plan.Config{{Voters: replicas(1, 2, 3), Next: [][]plan.ReplicaID{replicas(1)}}}, []plan.NodeID{1, 2, 3}, 0},
		{"nobody knows", []plan.Config{trio, {}}, []plan.NodeID{1, 2, 3}, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			live := among(tt.live...)
			if got := plan.Spare(tt.groups, func(_ int, r plan.ReplicaID) bool { return live(r.Node()) }); got != tt.want {
				t.Errorf("got %d, want %d", got, tt.want)
			}
		})
	}
}

// A node is given up only if a majority is left of every set of voters that may
// be in force; as many nodes as are to spare may be given up, whichever they are.
func TestWhatIsGivenUpLeavesMajorities(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		node := rapid.Map(rapid.IntRange(1, 7), func(i int) plan.NodeID { return plan.NodeID(i) })
		set := rapid.Map(rapid.SliceOfNDistinct(node, 1, 5, rapid.ID), func(ns []plan.NodeID) []plan.ReplicaID { return replicas(ns...) })
		c := plan.Config{Voters: set.Draw(t, "voters")}
		if rapid.Bool().Draw(t, "joint") {
			c.Outgoing = set.Draw(t, "outgoing")
		}
		c.Next = rapid.SliceOfN(set, 0, 2).Draw(t, "next")
		live := map[plan.NodeID]bool{}
		for _, n := range rapid.SliceOfDistinct(node, rapid.ID).Draw(t, "live") {
			live[n] = true
		}
		is := func(_ int, r plan.ReplicaID) bool { return live[r.Node()] }
		spare := plan.Spare([]plan.Config{c}, is)
		n := node.Draw(t, "lose")
		err := plan.MayLose([]plan.Config{c}, n, outlook(func(n plan.NodeID) bool { return live[n] }, among()))
		delete(live, n)
		after := c.Majority(func(r plan.ReplicaID) bool { return live[r.Node()] })
		if err == nil && c.Votes(n) && !after {
			t.Fatalf("node %d was given up, and no majority is left of %+v", n, c)
		}
		if err != nil && after {
			t.Fatalf("node %d is kept by %+v: %v, but a majority is left", n, c, err)
		}
		if spare > 0 && !after {
			t.Fatalf("%d may be lost, node %d was, and no majority is left of %+v", spare, n, c)
		}
	})
}
