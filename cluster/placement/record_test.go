package placement

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	pb "go.etcd.io/raft/v3/raftpb"

	"ssod/cluster"
	"ssod/cluster/plan"
	"ssod/cluster/replica/core"
)

// A leader takes no step that changes the voters before the table says what comes
// of it, and confirms new voters when a majority has them on disk.
func TestVotersAreAnnouncedFirst(t *testing.T) {
	trio, other := voting(1, 2, 3), voting(1, 3, 4)
	reform := plan.Step{Kind: plan.Reform, Changes: []plan.Change{{Kind: plan.Expel, Replica: trio[1]}, {Kind: plan.Promote, Replica: other[2]}}}
	tidy := plan.Step{Kind: plan.Reform, Changes: []plan.Change{{Kind: plan.Expel, Replica: other[2]}}} // a learner
	announced := plan.Config{Term: 5, Voters: trio, Next: [][]plan.ReplicaID{other}}
	tests := []struct {
		name    string
		voters  []plan.ReplicaID
		old     []plan.ReplicaID // outgoing
		settled bool
		known   plan.Config
		step    plan.Step
		may     bool
		writes  *plan.Config
	}{
		{"nothing was said yet", trio, nil, true, plan.Config{}, plan.Step{Kind: plan.Settled}, true, &plan.Config{Term: 5, Voters: trio}},
		{"nothing changes", trio, nil, true, plan.Config{Term: 5, Voters: trio}, plan.Step{Kind: plan.Settled}, true, nil},
		{"the first to lead with them", trio, nil, true, plan.Config{Term: 4, Voters: trio}, plan.Step{Kind: plan.Settled}, true, nil},
		{"other voters", trio, nil, true, plan.Config{Term: 5, Voters: trio}, reform, false, &announced},
		{"and they are announced", trio, nil, true, announced, reform, true, nil},
		{"by an earlier leader", trio, nil, true, plan.Config{Term: 4, Voters: trio, Next: announced.Next}, reform, false, &announced},
		{"another leads by now", trio, nil, true, plan.Config{Term: 6, Voters: trio, Next: announced.Next}, reform, false, nil},
		{"a learner that goes", trio, nil, true, plan.Config{Term: 5, Voters: trio}, tidy, true, nil},
		{"half-way", other, trio, false, announced, plan.Step{Kind: plan.Wait}, true, &plan.Config{Term: 5, Voters: other, Outgoing: trio}},
		{"changed, and only the leader knows", other, nil, false, announced, plan.Step{Kind: plan.Settled}, true, nil},
		{"and wants the next change", trio, nil, false, plan.Config{Term: 5, Voters: other, Next: [][]plan.ReplicaID{trio}}, reform, false, nil},
		{"changed, and others know", other, nil, true, announced, plan.Step{Kind: plan.Settled}, true, &plan.Config{Term: 5, Voters: other}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			st := core.Status{
				Leadership: core.Leadership{Shard: 1, Term: 5, Open: true}, Settled: tt.settled,
				Applied: core.Applied{Conf: &pb.ConfState{Voters: replicaNumbers(tt.voters), VotersOutgoing: replicaNumbers(tt.old)}},
			}
			w := recorder{proposed: map[cluster.ShardID]proposed{}}
			d := draft{contents: &contents{revision: 1, groups: []plan.Config{{}, tt.known}}, records: map[cluster.ShardID]plan.Config{}}
			if may := w.note(st, tt.step, &d); may != tt.may {
				t.Errorf("the step may be taken: got %v, want %v", may, tt.may)
			}
			want := map[cluster.ShardID]plan.Config{}
			if tt.writes != nil {
				want[1] = *tt.writes
			}
			if diff := cmp.Diff(want, d.records); diff != "" {
				t.Errorf("to be written (-want +got):\n%s", diff)
			}
			if waits := !tt.may && tt.writes != nil; d.urgent != waits {
				t.Errorf("urgent: got %v, want %v", d.urgent, waits)
			}
		})
	}
}

// What was proposed stays announced when the leader changes its mind.
func TestWhatWasProposedStaysAnnounced(t *testing.T) {
	trio, other := voting(1, 2, 3), voting(1, 3, 4)
	reform := plan.Step{Kind: plan.Reform, Changes: []plan.Change{{Kind: plan.Expel, Replica: trio[1]}, {Kind: plan.Promote, Replica: other[2]}}}
	st := core.Status{
		Leadership: core.Leadership{Shard: 1, Term: 5, Open: true}, Settled: true,
		Applied: core.Applied{Conf: &pb.ConfState{Voters: replicaNumbers(trio)}},
	}
	announced := plan.Config{Term: 5, Voters: trio, Next: [][]plan.ReplicaID{other}}
	w := recorder{proposed: map[cluster.ShardID]proposed{}}
	drafted := func() map[cluster.ShardID]plan.Config {
		d := draft{contents: &contents{revision: 1, groups: []plan.Config{{}, announced}}, records: map[cluster.ShardID]plan.Config{}}
		w.note(st, plan.Step{Kind: plan.Settled}, &d)
		return d.records
	}
	if diff := cmp.Diff(map[cluster.ShardID]plan.Config{1: {Term: 5, Voters: trio}}, drafted()); diff != "" {
		t.Errorf("not proposed (-want +got):\n%s", diff)
	}
	w.propose(st, reform)
	if got := drafted(); len(got) > 0 {
		t.Errorf("proposed: got %v, want that it stays", got)
	}
}
