package plan_test

import (
	"math"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"ssod/cluster/plan"
	"ssod/persistence"
)

// group is a model of a raft group: changes happen at once, logs only when
// somebody says so.
type group struct {
	leader           plan.ReplicaID
	voters, learners []plan.ReplicaID
	behind           map[plan.ReplicaID]int
	down             map[plan.NodeID]bool
	steps            []plan.Kind
}

// far is how much a replica lacks that has not caught up.
const far = 4 << 20

func replica(n plan.NodeID) plan.ReplicaID { return persistence.NewReplicaID(n, 1) }

func newGroup(voters ...plan.NodeID) *group {
	g := &group{behind: map[plan.ReplicaID]int{}, down: map[plan.NodeID]bool{}}
	for _, n := range voters {
		g.voters = append(g.voters, replica(n))
		g.behind[replica(n)] = 0
	}
	g.leader = g.voters[0]
	return g
}

func (g *group) view() plan.Group {
	return plan.Group{
		Self: g.leader, Voters: g.voters, Learners: g.learners, Behind: g.behind,
		Alive: func(n plan.NodeID) bool { return !g.down[n] },
	}
}

// do carries a step out.
func (g *group) do(s plan.Step) {
	g.steps = append(g.steps, s.Kind)
	switch s.Kind {
	case plan.Add:
		g.learners = append(g.learners, replica(s.Node))
		g.behind[replica(s.Node)] = far
	case plan.HandOver:
		g.leader = s.To
	}
	for _, c := range s.Changes {
		is := func(r plan.ReplicaID) bool { return r == c.Replica }
		g.voters, g.learners = slices.DeleteFunc(slices.Clone(g.voters), is), slices.DeleteFunc(slices.Clone(g.learners), is)
		switch c.Kind {
		case plan.Promote:
			g.voters = append(g.voters, c.Replica)
		case plan.Demote:
			g.learners = append(g.learners, c.Replica)
		}
	}
}

// catchUp lets every learner that is there have all entries.
func (g *group) catchUp() {
	for _, r := range g.learners {
		if !g.down[r.Node()] {
			g.behind[r] = 0
		}
	}
}

// run takes steps until nothing more happens.
func (g *group) run(a plan.Assignment) plan.Kind {
	for range 50 {
		s := plan.Next(a, g.view())
		g.do(s)
		switch s.Kind {
		case plan.Settled, plan.Blocked:
			return s.Kind
		case plan.Wait:
			g.catchUp()
		}
	}
	return plan.Wait
}

func (g *group) nodes(rs []plan.ReplicaID) (ns []plan.NodeID) {
	for _, r := range rs {
		ns = append(ns, r.Node())
	}
	slices.Sort(ns)
	return ns
}

func TestStepsOfAGroup(t *testing.T) {
	tests := []struct {
		name string
		from []plan.NodeID
		down []plan.NodeID
		to   plan.Assignment
		want []plan.Kind
	}{
		{"already there", []plan.NodeID{1, 2, 3}, nil, plan.Assignment{Voters: []plan.NodeID{1, 2, 3}}, []plan.Kind{plan.Settled}},
		{"second node listens", []plan.NodeID{1}, nil, plan.Assignment{Voters: []plan.NodeID{1}, Learners: []plan.NodeID{2}}, []plan.Kind{plan.Add, plan.Settled}},
		{"one joint change to three voters", []plan.NodeID{1}, nil, plan.Assignment{Voters: []plan.NodeID{1, 2, 3}}, []plan.Kind{plan.Add, plan.Add, plan.Wait, plan.Reform, plan.Settled}},
		{"a dead node replaced", []plan.NodeID{1, 2, 3}, []plan.NodeID{2}, plan.Assignment{Voters: []plan.NodeID{1, 3, 4}}, []plan.Kind{plan.Add, plan.Wait, plan.Reform, plan.Settled}},
		{"the leader replaced", []plan.NodeID{1, 2, 3}, nil, plan.Assignment{Voters: []plan.NodeID{2, 3, 4}}, []plan.Kind{plan.Add, plan.Wait, plan.Reform, plan.HandOver, plan.Reform, plan.Settled}},
		{"the only voter moves", []plan.NodeID{1}, nil, plan.Assignment{Voters: []plan.NodeID{2}}, []plan.Kind{plan.Add, plan.Wait, plan.Reform, plan.HandOver, plan.Reform, plan.Settled}},
		{"a dead node dropped", []plan.NodeID{1, 2, 3}, []plan.NodeID{2}, plan.Assignment{Voters: []plan.NodeID{1, 3}}, []plan.Kind{plan.Reform, plan.Settled}},
		{"a new node that is away", []plan.NodeID{1, 2, 3}, []plan.NodeID{4}, plan.Assignment{Voters: []plan.NodeID{1, 3, 4}}, []plan.Kind{plan.Blocked}},
		{"the preferred leads", []plan.NodeID{1, 2, 3}, nil, plan.Assignment{Voters: []plan.NodeID{1, 2, 3}, Preferred: 3}, []plan.Kind{plan.HandOver, plan.Settled}},
		{"the preferred is away", []plan.NodeID{1, 2, 3}, []plan.NodeID{3}, plan.Assignment{Voters: []plan.NodeID{1, 2, 3}, Preferred: 3}, []plan.Kind{plan.Blocked}},
		{"a learner that is away", []plan.NodeID{1}, []plan.NodeID{2}, plan.Assignment{Voters: []plan.NodeID{1}, Learners: []plan.NodeID{2}}, []plan.Kind{plan.Blocked}},
		{"what stays is away", []plan.NodeID{1, 2, 3}, []plan.NodeID{3}, plan.Assignment{Voters: []plan.NodeID{1, 3}}, []plan.Kind{plan.Blocked}},
		{"one of three that stay is away", []plan.NodeID{1, 2, 3, 4}, []plan.NodeID{3}, plan.Assignment{Voters: []plan.NodeID{1, 2, 3}}, []plan.Kind{plan.Reform, plan.Settled}},
		{"a voter that only listens", []plan.NodeID{1, 2, 3, 4}, nil, plan.Assignment{Voters: []plan.NodeID{1, 2, 3}, Learners: []plan.NodeID{4}}, []plan.Kind{plan.Reform, plan.Settled}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			g := newGroup(tt.from...)
			for _, n := range tt.down {
				g.down[n] = true
			}
			end := g.run(tt.to)
			if diff := cmp.Diff(tt.want, g.steps); diff != "" {
				t.Errorf("steps (-want +got):\n%s", diff)
			}
			if end != plan.Settled {
				return
			}
			if got := g.nodes(g.voters); !slices.Equal(got, tt.to.Voters) {
				t.Errorf("voters: got %v, want %v", got, tt.to.Voters)
			}
			if got := g.nodes(g.learners); !slices.Equal(got, tt.to.Learners) {
				t.Errorf("learners: got %v, want %v", got, tt.to.Learners)
			}
		})
	}
}

// Who leads again after others remembers what a node's replica was before it left
// the group and came back: the one that votes now is not to be added anew, which
// would take its vote without an announcement.
func TestAReplicaThatAnotherLeaderAddedIsNotObsolete(t *testing.T) {
	g := newGroup(1, 3)
	later := persistence.NewReplicaID(2, 2)
	g.voters, g.behind[later] = append(g.voters, later), 0
	view := g.view()
	view.Known = map[plan.NodeID]plan.ReplicaID{2: replica(2)}
	got := plan.Next(plan.Assignment{Voters: []plan.NodeID{1, 2, 3}}, view)
	if got.Kind != plan.Settled {
		t.Errorf("got %+v, want Settled", got)
	}
}

// A replica that its node has thrown away is replaced by the node's new one.
func TestAnObsoleteReplicaIsReplaced(t *testing.T) {
	g := newGroup(1, 2, 3)
	view := g.view()
	fresh := persistence.NewReplicaID(2, 2)
	view.Known = map[plan.NodeID]plan.ReplicaID{2: fresh}
	to := plan.Assignment{Voters: []plan.NodeID{1, 2, 3}}
	if s := plan.Next(to, view); s.Kind != plan.Add || s.Node != 2 {
		t.Fatalf("got %+v, want that node 2 is added", s)
	}
	view.Learners = []plan.ReplicaID{fresh}
	view.Behind[fresh] = 0
	want := []plan.Change{{Kind: plan.Expel, Replica: replica(2)}, {Kind: plan.Promote, Replica: fresh}}
	if diff := cmp.Diff(want, plan.Next(to, view).Changes); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// A replica that has caught up and is away gets no vote.
func TestANewVoterIsThere(t *testing.T) {
	g := newGroup(1, 2, 3)
	g.learners = []plan.ReplicaID{replica(4)}
	g.behind[replica(4)] = 0
	to := plan.Assignment{Voters: []plan.NodeID{1, 2, 4}}
	g.down[4] = true
	if s := plan.Next(to, g.view()); s.Kind != plan.Blocked {
		t.Errorf("while it is away: got %+v, want that the group waits", s)
	}
	g.down[4] = false
	if s := plan.Next(to, g.view()); s.Kind != plan.Reform {
		t.Errorf("when it is back: got %+v, want that it votes", s)
	}
}

// Whoever goes away meanwhile, no step leaves a group without a majority that it
// had.
func TestNoStepLosesTheMajority(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ids := rapid.SliceOfNDistinct(rapid.Uint32Range(1, 6), 1, 5, rapid.ID)
		nodes := func(label string) (ns []plan.NodeID) {
			for _, id := range ids.Draw(t, label) {
				ns = append(ns, plan.NodeID(id))
			}
			return ns
		}
		g := newGroup(nodes("from")...)
		to := plan.Assignment{Voters: nodes("to")}
		for range 40 {
			if n := plan.NodeID(rapid.Uint32Range(1, 6).Draw(t, "turns")); n != g.leader.Node() {
				g.down[n] = !g.down[n]
			}
			had := g.lives()
			g.do(plan.Next(to, g.view()))
			if had && !g.lives() {
				t.Fatalf("voters %v, down %v", g.voters, g.down)
			}
			g.catchUp()
		}
	})
}

// lives reports whether a majority of the voters is there.
func (g *group) lives() bool {
	c := plan.Config{Voters: g.voters}
	return c.Majority(func(r plan.ReplicaID) bool { return !g.down[r.Node()] })
}

// A node that is about to stop is not handed the lead.
func TestANodeThatResignsGetsNoLead(t *testing.T) {
	view := newGroup(1, 2, 3).view()
	view.Willing = func(n plan.NodeID) bool { return n != 3 }
	to := plan.Assignment{Voters: []plan.NodeID{1, 2, 3}, Preferred: 3}
	if s := plan.Next(to, view); s.Kind != plan.Blocked {
		t.Errorf("got %+v, want that it is blocked", s)
	}
	to = plan.Assignment{Voters: []plan.NodeID{2, 3}, Preferred: 3}
	if s := plan.Next(to, view); s.Kind != plan.HandOver || s.To != replica(2) {
		t.Errorf("the leader leaves: got %+v, want that node 2 leads", s)
	}
}

// TestALeadMovesOnce: a leader that leaves waits for the preferred voter to learn that
// it votes, and hands the lead to nobody in between, unless that one takes no leads.
func TestALeadMovesOnce(t *testing.T) {
	g := newGroup(1, 2, 3, 4)
	view := g.view()
	to := plan.Assignment{Voters: []plan.NodeID{2, 3, 4}, Preferred: 4}
	view.CanLead = func(r plan.ReplicaID) bool { return r != replica(4) }
	if s := plan.Next(to, view); s.Kind != plan.Wait {
		t.Errorf("it does not know yet: got %+v, want to wait", s)
	}
	view.Willing = func(n plan.NodeID) bool { return n != 4 }
	if s := plan.Next(to, view); s.Kind != plan.HandOver || s.To != replica(2) {
		t.Errorf("it takes no leads: got %+v, want that node 2 leads", s)
	}
	view.CanLead, view.Willing = nil, nil
	if s := plan.Next(to, view); s.Kind != plan.HandOver || s.To != replica(4) {
		t.Errorf("it knows: got %+v, want that it leads", s)
	}
	view.CanLead = func(r plan.ReplicaID) bool { return r != replica(4) }
	stays := plan.Assignment{Voters: []plan.NodeID{1, 2, 3, 4}, Preferred: 4}
	if s := plan.Next(stays, view); s.Kind != plan.Blocked {
		t.Errorf("the leader stays: got %+v, want that it leads on", s)
	}
}

// TestAnyGroupGetsThere starts from any members, with some nodes away, and
// checks at each step that nothing is given up before its successor is there.
func TestAnyGroupGetsThere(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ids := rapid.SliceOfNDistinct(rapid.Uint32Range(1, 6), 1, 5, rapid.ID)
		nodes := func(label string) (ns []plan.NodeID) {
			for _, id := range ids.Draw(t, label) {
				ns = append(ns, plan.NodeID(id))
			}
			return ns
		}
		g := newGroup(nodes("from")...)
		to := plan.Assignment{Voters: nodes("to")}
		to.Preferred = to.Voters[0]
		for range 60 {
			s := plan.Next(to, g.view())
			g.do(s)
			g.check(t)
			if s.Kind == plan.Wait && rapid.Bool().Draw(t, "catch up") {
				g.catchUp()
			}
		}
		g.catchUp()
		if got := g.run(to); got != plan.Settled {
			t.Fatalf("ends with %v: voters %v, learners %v, want %v", got, g.voters, g.learners, to)
		}
		slices.Sort(to.Voters)
		if got := g.nodes(g.voters); !slices.Equal(got, to.Voters) || len(g.learners) > 0 || g.leader.Node() != to.Preferred {
			t.Fatalf("voters %v, learners %v, leader %v, want %v", got, g.learners, g.leader, to)
		}
	})
}

func (g *group) check(t *rapid.T) {
	if !slices.Contains(g.voters, g.leader) {
		t.Fatalf("the leader %v lost its vote: %v", g.leader, g.voters)
	}
	for _, r := range g.voters {
		if g.behind[r] > 0 {
			t.Fatalf("%v votes and has not caught up", r)
		}
	}
}

// A replica has caught up when the bytes that it lacks are few, however many entries
// they are, and not before anything is known of it.
func TestCaughtUpIsCountedInBytes(t *testing.T) {
	for _, tt := range []struct {
		name   string
		behind int
		known  bool
		want   plan.Kind
	}{
		{"unknown", 0, false, plan.Wait},
		{"everything", 0, true, plan.Reform},
		{"what is on its way", 2 << 20, true, plan.Reform},
		{"more", 2<<20 + 1, true, plan.Wait},
		{"more than the log has", math.MaxInt, true, plan.Wait},
	} {
		t.Run(tt.name, func(t *testing.T) {
			g := newGroup(1)
			g.learners = []plan.ReplicaID{replica(2)}
			if tt.known {
				g.behind[replica(2)] = tt.behind
			}
			if got := plan.Next(plan.Assignment{Voters: []plan.NodeID{1, 2}}, g.view()); got.Kind != tt.want {
				t.Errorf("got step %+v, want kind %d", got, tt.want)
			}
		})
	}
}
