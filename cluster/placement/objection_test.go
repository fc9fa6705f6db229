package placement

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"ssod/cluster/plan"
	"ssod/persistence"
)

func voting(nodes ...NodeID) (rs []plan.ReplicaID) {
	for _, n := range nodes {
		rs = append(rs, persistence.NewReplicaID(n, 1))
	}
	return rs
}

// said is what a node says that leads shards, each with the voters present.
func said(silent time.Duration, term uint64, present []plan.ReplicaID, shards ...uint32) *Survey {
	s := &Survey{SilentMs: silent.Milliseconds()}
	for _, shard := range shards {
		s.Groups = append(s.Groups, &GroupState{Shard: shard, Term: term, Present: replicaNumbers(present), Confirmed: true})
	}
	return s
}

// What speaks against giving node 2 of a cluster of three up.
func TestWhatSpeaksAgainstAReplacement(t *testing.T) {
	const long, short = time.Minute, 3500 * time.Millisecond
	trio := plan.Config{Term: 5, Voters: voting(1, 2, 3)}
	replacing := plan.Config{Term: 5, Voters: voting(1, 2, 3), Learners: voting(4)}
	unconfirmed := said(long, 6, voting(1, 3), 0, 1)
	unconfirmed.Groups[1].Confirmed = false
	tests := []struct {
		name    string
		groups  []plan.Config
		said    map[NodeID]*Survey
		dead    []NodeID
		gone    []NodeID
		says    string // "": nothing
		forever bool
	}{
		{"nothing", []plan.Config{trio, trio}, map[NodeID]*Survey{1: said(long, 5, voting(1, 3), 0, 1), 3: said(long, 5, nil)}, nil, nil, "", false},
		{
			"the other one has heard it",
			[]plan.Config{trio, trio},
			map[NodeID]*Survey{1: said(long, 5, voting(1, 3), 0, 1), 3: said(short, 5, nil)},
			nil, nil,
			"node n2 was heard 3s ago: it waits 27s more until it has been silent for 30s", false,
		},
		{
			"the other one does not answer",
			[]plan.Config{trio, trio},
			map[NodeID]*Survey{1: said(long, 5, voting(1, 3), 0, 1)},
			nil, nil,
			"too few voters of the meta shard report whether they hear node n2", false,
		},
		{
			"the other one is away",
			[]plan.Config{{Term: 5, Voters: voting(1)}, trio},
			map[NodeID]*Survey{1: said(long, 5, voting(1, 3), 0, 1)},
			[]NodeID{3},
			nil,
			"shard 1: without node n2 1 of 3 voters are there, which is no majority: start node n2 with the --data directory that it had, or first n3", false,
		},
		{
			"the other one lags",
			[]plan.Config{trio, trio},
			map[NodeID]*Survey{1: said(long, 5, voting(1), 0, 1), 3: said(long, 5, nil)},
			nil, nil,
			"shard 0 and 1 more: without node n2 1 of 3 voters are there", false,
		},
		{
			"nobody leads a shard",
			[]plan.Config{trio, trio},
			map[NodeID]*Survey{1: said(long, 5, voting(1, 3), 0), 3: said(long, 5, nil)},
			nil, nil,
			"shard 1: without node n2 0 of 3 voters are there", false,
		},
		{
			"a leader has not confirmed",
			[]plan.Config{trio, trio},
			map[NodeID]*Survey{1: unconfirmed, 3: said(long, 5, nil)},
			nil, nil,
			"shard 1: its voters are not confirmed yet", false,
		},
		{
			"one that was deposed has",
			[]plan.Config{trio, trio},
			map[NodeID]*Survey{1: said(long, 5, voting(1, 3), 0), 3: said(long, 4, voting(1, 3), 1)},
			nil, nil,
			"shard 1: its voters are not confirmed yet", false,
		},
		{"the newest leader counts", []plan.Config{trio, trio}, map[NodeID]*Survey{1: said(long, 6, voting(1, 3), 0, 1), 3: said(long, 5, nil, 1)}, nil, nil, "", false},
		{
			"the replacement of n1 has not caught up",
			[]plan.Config{{Term: 5, Voters: voting(3, 4)}, replacing},
			map[NodeID]*Survey{3: said(long, 5, voting(3, 4), 0), 4: said(long, 5, nil)},
			nil,
			[]NodeID{1},
			"shard 1: without node n2 0 of 3 voters are there, which is no majority: start node n2 with the --data directory that it had", true,
		},
		{
			"the same, not long ago",
			[]plan.Config{{Term: 5, Voters: voting(3, 4)}, replacing},
			map[NodeID]*Survey{3: said(short, 5, voting(3, 4), 0), 4: said(long, 5, nil)},
			nil,
			[]NodeID{1},
			"it waits 27s more until it has been silent for 30s; now shard 1", false,
		},
		{
			"only it has a shard",
			[]plan.Config{{Term: 5, Voters: voting(1)}, {Term: 5, Voters: voting(2)}},
			map[NodeID]*Survey{1: said(long, 5, voting(1), 0)},
			nil, nil,
			"shard 1: only node n2 has it: start node n2", true,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := findings{
				contents: &contents{groups: tt.groups, nodes: map[NodeID]Node{}}, shards: 1, said: tt.said,
				alive: func(n NodeID) bool {
					if slices.Contains(tt.dead, n) {
						return false
					}
					return n != 2
				},
			}
			for id, name := range map[NodeID]string{1: "n1", 2: "n2", 3: "n3", 4: "n1"} {
				f.contents.nodes[id] = Node{ID: id, Name: name}
			}
			for _, id := range tt.gone {
				f.contents.nodes[id] = Node{ID: id, Name: "n1", State: NodeState_REMOVED}
			}
			err := f.object(f.contents.nodes[2], 30*time.Second)
			if tt.says == "" {
				if err != nil {
					t.Errorf("got %v, want nothing", err)
				}
				return
			}
			got, ok := errors.AsType[*objection](err)
			if !ok || !strings.Contains(got.text, tt.says) || got.forever != tt.forever {
				t.Errorf("got %v (for ever: %v), want %q (for ever: %v)", err, ok && got.forever, tt.says, tt.forever)
			}
		})
	}
}
