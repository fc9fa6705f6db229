package placement_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"ssod/cluster"
	"ssod/cluster/placement"
	"ssod/cluster/replica/core"
)

// refused waits until a request to join is answered in these words.
func (c *testCluster) refused(at core.NodeID, a placement.Applicant, want error, says string) {
	c.Helper()
	var err error
	defer func() {
		if c.Failed() {
			c.Logf("the last answer: %v", err)
		}
	}()
	c.eventually(fmt.Sprintf("%s is refused: %s", a.Name, says), func() bool {
		var m placement.Membership
		if m, err = c.ask(at, a); err == nil {
			c.Fatalf("%s was taken in as %d", a.Name, m.ID)
		}
		return errors.Is(err, want) && strings.Contains(err.Error(), says)
	})
}

// keeps checks that a name still belongs to a node.
func (c *testCluster) keeps(name string, id core.NodeID) {
	c.Helper()
	for _, n := range c.running() {
		for _, p := range n.registry().Nodes() {
			if p.Name == name && (p.ID != id || p.State == placement.NodeState_REMOVED) {
				c.Errorf("%s has %s as node %d, %v; want node %d", n.name, name, p.ID, p.State, id)
			}
		}
	}
}

// hold keeps replicas from getting to a node, as long as it is held.
func (c *testCluster) hold(id core.NodeID, held bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.held[id] = held
}

// The replacement of n1 has not caught up when n2 is started on an empty disk:
// n2's old disk is needed, and nothing is lost when it comes back.
func TestASecondDiskIsNotGivenUpBeforeTheFirstIsReplaced(t *testing.T) {
	c := three(t)
	c.stop(1)
	c.hold(4, true)
	if id := c.join("n1", 2); id != 4 {
		t.Fatalf("the replacement of n1 has id %d, want 4", id)
	}
	c.setCut(2, true)
	c.refused(3, newApplicant("n2"), placement.ErrTemporary, "start node n2 with the --data directory that it had")
	c.keeps("n2", 2)
	c.hold(4, false)
	c.setCut(2, false)
	c.members(3, 0)
	c.holds(20)
}

// Growing from one to three broke off: the only voter of some shards is not
// replaced by an empty disk, whatever the map says.
func TestTheOnlyVoterIsNotReplaced(t *testing.T) {
	c := newCluster(t)
	c.found("n1")
	c.fill(0, 10)
	c.join("n2", 1)
	c.members(1, 1)
	c.hold(3, true) // its replicas never catch up, so no shard gets three voters
	c.join("n3", 1)
	c.eventually("the map has three voters", func() bool {
		a, ok := c.nodes[2].registry().Assignment(1)
		return ok && len(a.Voters) == 3
	})
	c.setCut(1, true)
	c.refused(2, newApplicant("n1"), placement.ErrTemporary, "start node n1 with the --data directory that it had")
	c.setCut(1, false)
	c.hold(3, false)
	c.members(3, 0)
	c.keeps("n1", 1)
	c.holds(10)
}

// Where the meta shard has moved and others have not, its leader refuses for
// ever.
func TestTheOnlyVoterOfAShardIsRefusedForEver(t *testing.T) {
	c := newCluster(t)
	c.found("n1")
	c.fill(0, 10)
	c.slow = func(shard cluster.ShardID) bool { return shard != cluster.MetaShard }
	c.hold(2, true)
	c.hold(3, true)
	c.join("n2", 1)
	c.join("n3", 1)
	c.eventually("the meta shard has three voters", func() bool {
		n, _ := c.leader(cluster.MetaShard)
		st, err := n.engine.Status(t.Context(), cluster.MetaShard)
		return err == nil && len(st.Applied.Conf.GetVoters()) == 3 && len(st.Applied.Conf.GetVotersOutgoing()) == 0
	})
	c.setCut(1, true)
	c.refused(2, newApplicant("n1"), placement.ErrRefused, "only node n1 has it: start node n1 with the --data directory that it had")
	err := c.nodes[2].placement.Remove(t.Context(), "n1")
	if !errors.Is(err, placement.ErrNeeded) || !strings.Contains(err.Error(), "only node n1 has it") {
		t.Errorf("remove it: got %v", err)
	}
	c.setCut(1, false)
	c.hold(2, false)
	c.hold(3, false)
	c.members(3, 0)
	c.keeps("n1", 1)
	c.holds(10)
}

// A node that does not answer for a while is not replaced by another process of
// its name, and is told of nothing when it goes on.
func TestANodeThatPausesIsNotReplaced(t *testing.T) {
	c := newCluster(t)
	c.silentFor = time.Hour
	grow(c)
	c.setCut(2, true)
	impostor := newApplicant("n2")
	c.refused(1, impostor, placement.ErrWaits, "until it has been silent for 1h0m0s")
	c.setCut(2, false)
	c.refused(1, impostor, placement.ErrWaits, "stop that one")
	c.keeps("n2", 2)
	c.eventually("removing it is refused because it is there", func() bool {
		err := c.nodes[1].placement.Remove(t.Context(), "n2")
		if err == nil {
			t.Fatal("it was removed")
		}
		return errors.Is(err, placement.ErrNeeded) // the meta shard may have no leader for a moment
	})
}

// Who asked for a name while there was no majority, and is gone, does not get it
// when the majority is back.
func TestWhatWasAskedWithoutAMajorityIsVoid(t *testing.T) {
	c := three(t)
	leader, follower := c.follower()
	var third *testNode
	for _, n := range c.running() {
		if n != leader && n != follower {
			third = n
		}
	}
	impostor := newApplicant(third.name)
	c.setCut(third.id, true)
	c.setCut(follower.id, true)
	for range 20 { // while the leader does not know it yet, and when it does
		if m, err := c.ask(leader.id, impostor); err == nil {
			t.Fatalf("the impostor was taken in as %d", m.ID)
		}
	}
	c.setCut(third.id, false) // brings the majority back
	c.fill(20, 30)
	c.setCut(follower.id, false)
	c.members(3, 0)
	c.fill(30, 40)
	c.keeps(third.name, third.id)
	c.holds(40)
}

// The first of two steps was taken, and the node is heard again: the claimant has to
// start again, and does not get the name.
func TestAnHeirIsForgottenWhenTheNodeIsBack(t *testing.T) {
	c := three(t)
	leader, gone := c.follower()
	c.setCut(gone.id, true)
	impostor := newApplicant(gone.name)
	c.refused(leader.id, impostor, placement.ErrWaits, "about to be replaced")
	if n, _ := leader.registry().Node(gone.id); len(n.Claimant) == 0 {
		t.Fatalf("there is no claimant of %s: %+v", gone.name, n)
	}
	c.setCut(gone.id, false)
	c.eventually("it is forgotten", func() bool {
		n, _ := leader.registry().Node(gone.id)
		return len(n.Claimant) == 0
	})
	c.refused(leader.id, impostor, placement.ErrWaits, "stop that one")
	c.keeps(gone.name, gone.id)
}

// Of two processes that ask for one name, one gets it and the other is told.
func TestTwoHeirsDoNotHinderEachOther(t *testing.T) {
	c := three(t)
	leader, gone := c.follower()
	c.setCut(gone.id, true)
	one, two := newApplicant(gone.name), newApplicant(gone.name)
	c.refused(leader.id, one, placement.ErrWaits, "about to be replaced")
	c.eventually("the other one is told", func() bool {
		_, err := c.ask(leader.id, two)
		switch {
		case !errors.Is(err, placement.ErrWaits):
			t.Fatalf("the other one: got %v", err)
		case strings.Contains(err.Error(), "about to be replaced"):
			one, two = two, one // the first had not asked for so long that its turn was over
		}
		return strings.Contains(err.Error(), "another process")
	})
	var m placement.Membership
	c.eventually("the first is taken in", func() (ok bool) {
		var err error
		m, err = c.ask(leader.id, one)
		return err == nil
	})
	if again, err := c.ask(leader.id, one); err != nil || again.ID != m.ID {
		t.Errorf("it asks again, as if the answer was lost: got %d, %v, want %d", again.ID, err, m.ID)
	}
	c.refused(leader.id, two, placement.ErrWaits, "more until it has been silent")
}

// What leaders confirm is what is in force, on every node, and says how many more
// nodes may be lost.
func TestWhatIsConfirmedIsInForce(t *testing.T) {
	c := three(t)
	for _, n := range c.running() {
		for id := range testShards + 1 {
			if got := n.registry().Group(id); len(got.Voters) != 3 || len(got.Next) > 0 || len(got.Outgoing) > 0 {
				t.Errorf("%s has of shard %d %+v, want three voters", n.name, id, got)
			}
		}
	}
	c.stop(2)
	c.eventually("no more may be lost", func() bool {
		m := c.nodes[1].placement.Margin()
		return m.Spare == 0 && m.Thin == testShards+1 && m.Stopped == 0 && len(m.Away) == 1 && m.Away[0] == "n2"
	})
	c.stop(3)
	c.eventually("everything stops", func() bool {
		m := c.nodes[1].placement.Margin()
		return m.Spare == -1 && m.Stopped == testShards+1
	})
}

// While many shards move, what becomes of them is written down in a few changes.
func TestConfirmationsAreWrittenTogether(t *testing.T) {
	c := three(t)
	revision := c.nodes[1].placement.Tables().Read("nodes").Revision()
	// Three nodes wrote themselves down, and were judged; each shard was founded,
	// got two learners, a set of voters to come, and that set.
	if most := uint64(3*2 + (testShards+1)*5); revision >= most {
		t.Errorf("the registry was changed %d times, want less than %d", revision, most)
	}
}

// A decision is void when the registry has changed, or another leads.
func TestDecisionsAreVoidWhenTheirGroundIsGone(t *testing.T) {
	c := newCluster(t)
	c.found("n1")
	tables := c.nodes[1].placement.Tables()
	c.change(c.nodes[1], "t", "a")
	_, shard := c.leader(cluster.MetaShard)
	revision := tables.Read("t").Revision()
	c.change(c.nodes[1], "t", "b")
	put := map[string][]byte{"c": nil}
	if err := tables.Decide(t.Context(), shard, "t", revision, put, nil); !errors.Is(err, cluster.ErrRejected) {
		t.Errorf("on an old revision: got %v", err)
	}
	if err := tables.Decide(t.Context(), shard, "t", revision+1, put, nil); err != nil {
		t.Errorf("on the newest revision: got %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := tables.Decide(ctx, shard, "t", revision+2, put, nil); !errors.Is(err, cluster.ErrRefused) {
		t.Errorf("it does not wait any more: got %v", err)
	}
}
