package plan_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"ssod/cluster/plan"
)

func TestWhatALeaderWritesDown(t *testing.T) {
	trio, other, third := replicas(1, 2, 3), replicas(1, 2, 4), replicas(1, 2, 5)
	sets := func(all ...[]plan.ReplicaID) [][]plan.ReplicaID { return all }
	now := plan.Config{Term: 5, Voters: trio}
	tests := []struct {
		name     string
		now, was plan.Config
		next     []plan.ReplicaID
		proposed [][]plan.ReplicaID
		want     plan.Config
		says     bool // was does already
	}{
		{"the first word", now, plan.Config{}, nil, nil, now, false},
		{"nothing new in a new term", now, plan.Config{Term: 4, Voters: trio}, nil, nil, now, true},
		{"what comes next", now, now, other, nil, plan.Config{Term: 5, Voters: trio, Next: sets(other)}, false},
		{"it is announced", now, plan.Config{Term: 5, Voters: trio, Next: sets(other)}, other, nil, plan.Config{Term: 5, Voters: trio, Next: sets(other)}, true},
		{"by an earlier leader", now, plan.Config{Term: 4, Voters: trio, Next: sets(other)}, other, nil, plan.Config{Term: 5, Voters: trio, Next: sets(other)}, false},
		{"an earlier leader's that did not come", now, plan.Config{Term: 4, Voters: trio, Next: sets(other)}, nil, sets(other), now, false},
		{"taken back before it was proposed", now, plan.Config{Term: 5, Voters: trio, Next: sets(other)}, nil, nil, now, false},
		{"proposed, and not wanted any more", now, plan.Config{Term: 5, Voters: trio, Next: sets(other)}, third, sets(other), plan.Config{Term: 5, Voters: trio, Next: sets(other, third)}, false},
		{"it has come", plan.Config{Term: 5, Voters: other}, plan.Config{Term: 5, Voters: trio, Next: sets(other, third)}, nil, sets(other, third), plan.Config{Term: 5, Voters: other}, false},
		{"it comes", plan.Config{Term: 5, Voters: other, Outgoing: trio}, plan.Config{Term: 5, Voters: trio, Next: sets(other)}, nil, sets(other), plan.Config{Term: 5, Voters: other, Outgoing: trio}, false},
		{"a learner", plan.Config{Term: 5, Voters: trio, Learners: replicas(4)}, now, nil, nil, plan.Config{Term: 5, Voters: trio, Learners: replicas(4)}, false},
		{
			"too many minds", now,
			plan.Config{Term: 5, Voters: trio, Next: sets(replicas(1), replicas(2), replicas(3), other)},
			third,
			sets(replicas(1), replicas(2), replicas(3), other),
			plan.Config{Term: 5, Voters: trio, Next: sets(replicas(1), replicas(2), replicas(3), other)},
			true,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := tt.now.Record(tt.was, tt.next, func(s []plan.ReplicaID) bool {
				return slices.ContainsFunc(tt.proposed, func(p []plan.ReplicaID) bool { return slices.Equal(p, s) })
			})
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if says := got.Says(tt.was); says != tt.says {
				t.Errorf("it is written already: got %v, want %v", says, tt.says)
			}
		})
	}
}

// Whatever leaders announce, propose, apply and take back, in whatever order they
// do and are deposed, what is written down has the voters in force.
func TestWhatIsWrittenCoversWhatIs(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		set := rapid.Map(rapid.SliceOfNDistinct(rapid.Uint32Range(1, 5), 1, 3, rapid.ID), func(ids []uint32) (rs []plan.ReplicaID) {
			slices.Sort(ids)
			for _, id := range ids {
				rs = append(rs, replica(plan.NodeID(id)))
			}
			return rs
		})
		force := set.Draw(t, "voters") // what the newest leader has, or an entry in the log will bring
		var pending []plan.ReplicaID   // proposed by the newest leader, and not applied
		type leader struct {
			term     uint64
			voters   []plan.ReplicaID
			proposed [][]plan.ReplicaID
		}
		leaders := []*leader{{term: 1, voters: force}}
		table := plan.Config{Term: 1, Voters: force}
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			newest := leaders[len(leaders)-1]
			l := leaders[rapid.IntRange(0, len(leaders)-1).Draw(t, "who")] // one that was deposed may not know
			switch rapid.SampledFrom([]string{"write", "apply", "elect", "propose"}).Draw(t, "what") {
			case "write", "propose":
				var next []plan.ReplicaID
				if rapid.Bool().Draw(t, "wants") {
					next = set.Draw(t, "next")
				}
				if l.term < table.Term {
					continue
				}
				record := plan.Config{Term: l.term, Voters: l.voters}.Record(table, next, func(s []plan.ReplicaID) bool {
					return slices.ContainsFunc(l.proposed, func(p []plan.ReplicaID) bool { return slices.Equal(p, s) })
				})
				if !record.Says(table) {
					table = record
				}
				if next != nil && table.Term == l.term && table.Announces(next) && rapid.Bool().Draw(t, "proposes") {
					l.proposed = append(l.proposed, next)
					if l == newest && pending == nil { // else it never commits, or raft drops it
						pending = next
					}
				}
			case "apply":
				if pending != nil {
					force, newest.voters, pending = pending, pending, nil
				}
			case "elect":
				if pending != nil && rapid.Bool().Draw(t, "survives") {
					force = pending
				}
				pending = nil
				leaders = append(leaders, &leader{term: newest.term + 1, voters: force})
			}
			if !slices.Equal(table.Voters, force) && !table.Announces(force) {
				t.Fatalf("the voters are %v, written down is %+v", force, table)
			}
			if pending != nil && !slices.Equal(table.Voters, pending) && !table.Announces(pending) {
				t.Fatalf("the voters may become %v, written down is %+v", pending, table)
			}
		}
	})
}
