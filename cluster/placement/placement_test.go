package placement_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"ssod/cluster"
	"ssod/cluster/placement"
	"ssod/cluster/replica/core"
)

// three starts a cluster and lets it grow to three nodes.
func three(t *testing.T) *testCluster {
	return grow(newCluster(t))
}

func grow(c *testCluster) *testCluster {
	c.Helper()
	c.found("n1")
	c.fill(0, 10)
	c.join("n2", 1)
	c.members(1, 1)
	c.fill(10, 20)
	c.join("n3", 2)
	c.members(3, 0)
	c.confirmed()
	return c
}

// confirmed waits until every node knows that one may be lost: a moment after a
// leader has the third voter, the others have it too.
func (c *testCluster) confirmed() {
	c.Helper()
	for _, n := range c.running() {
		c.eventually(n.name+" knows that one node may be lost", func() bool { return n.placement.Margin().Spare == 1 })
	}
}

func TestAClusterGrowsToThree(t *testing.T) {
	c := three(t)
	c.holds(20)
	c.fill(20, 30)
	for _, n := range c.running() {
		c.eventually("the registry has three nodes", func() bool { return len(n.registry().Nodes()) == 3 })
	}
	leads := map[core.NodeID]int{}
	c.eventually("the leaders are spread", func() bool {
		clear(leads)
		for id := range cluster.ShardID(testShards + 1) {
			n, _ := c.leader(id)
			leads[n.id]++
		}
		return leads[1] > 0 && leads[2] > 0 && leads[3] > 0
	})
}

func TestEveryNodeKnowsEveryOwner(t *testing.T) {
	c := newCluster(t)
	c.found("n1")
	c.join("n2", 1)
	for id := range cluster.ShardID(testShards + 1) {
		n2 := c.nodes[2]
		c.eventually("the owner is known", func() bool {
			owner, ok := n2.placement.Shards().Owner(id)
			return ok && owner.Address == "n1:rpc"
		})
	}
}

func TestANodeIsKilledAndReplaced(t *testing.T) {
	c := three(t)
	c.stop(2)
	c.fill(20, 30)
	id := c.join("n2", 1)
	if id != 4 {
		t.Errorf("the new node has id %d, want 4", id)
	}
	c.eventually("the new node votes everywhere", func() bool {
		for s := range cluster.ShardID(testShards + 1) {
			n, _ := c.leader(s)
			st, err := n.engine.Status(t.Context(), s)
			if err != nil || !slices.Equal(voters(st), []core.NodeID{1, 3, 4}) {
				return false
			}
		}
		return true
	})
	c.confirmed()
	c.stop(1)
	c.fill(30, 40)
	c.holds(40)
}

// A leader has left a joint configuration and the others have not been told yet:
// then the voters before it may be needed, and nothing counts on those that are to
// be. When one of the others has been told, and the leader dies, the others go on,
// although the node that was replaced is gone too.
func TestVotersAreConfirmedWhenTheyOutliveTheLeader(t *testing.T) {
	const shard = 3
	c := three(t)
	c.setSlow(func(id cluster.ShardID) bool { return id == shard })
	c.stop(2)
	first, led := c.leader(shard)
	other := core.NodeID(4) - first.id // of nodes 1 and 3
	c.set(c.deaf, other, true)
	c.set(c.deaf, 4, true)
	c.join("n2", 1)
	c.eventually("the leader has the new voters", func() bool {
		st, err := first.engine.Status(t.Context(), shard)
		if err != nil || !st.Open {
			return true // another one leads by now, and has told everybody
		}
		if len(st.Applied.Conf.GetVoters()) == 2 {
			c.set(c.deaf, other, false) // the new node was slow: both must know before it votes
		}
		return slices.Equal(voters(st), []core.NodeID{1, 3, 4})
	})
	c.eventually("the other groups are confirmed", func() bool {
		for id := range cluster.ShardID(testShards + 1) {
			if id != shard && first.known.Group(int(id)).Votes(2) {
				return false
			}
		}
		return true
	})
	confirmed := !first.known.Group(shard).Votes(2)
	if st, err := first.engine.Status(t.Context(), shard); err == nil && st.Open && st.Term == led.Term() && !st.Settled && confirmed && c.is(c.deaf, other) {
		t.Error("voters are confirmed that only their leader knows of")
	}
	c.set(c.deaf, 4, false)
	c.members(3, 0)
	c.confirmed()
	c.stop(first.id)
	c.set(c.deaf, other, false)
	c.fill(20, 30)
	c.holds(30)
}

// A node that joins has the time in which it would have to be silent to be heard
// for the first time, however long the leader has led.
func TestANodeThatJustJoinedIsNotDead(t *testing.T) {
	c := newCluster(t)
	c.found("n1")
	leader, _ := c.leader(cluster.MetaShard)
	led := time.Now()
	c.eventually("it has led for longer than that", func() bool { return time.Since(led) > testDead+testDead/10 })
	m, err := c.ask(1, newApplicant("n2")) // and is not started
	if err != nil {
		t.Fatal(err)
	}
	var n placement.Node
	c.eventually("it is dead", func() bool {
		n, _ = leader.known.Node(m.ID)
		return n.State == placement.NodeState_DEAD
	})
	if after := n.Changed.Sub(n.Joined); after < testDead-time.Millisecond {
		t.Errorf("it counts as dead %v after it joined, want %v at least", after, testDead)
	}
}

// voters are the nodes of a group, sorted; none while some only learn or leave: then
// not all of them can be asked for a majority.
func voters(st core.Status) (nodes []core.NodeID) {
	conf := st.Applied.Conf
	if len(conf.GetVotersOutgoing()) > 0 || len(conf.GetLearners()) > 0 {
		return nil
	}
	for _, id := range conf.GetVoters() {
		nodes = append(nodes, core.ReplicaID(id).Node())
	}
	slices.Sort(nodes)
	return nodes
}

func TestADeadNodeIsRemoved(t *testing.T) {
	c := three(t)
	p := c.nodes[1].placement
	if err := p.Remove(t.Context(), "n3"); !errors.Is(err, placement.ErrNeeded) || !strings.Contains(err.Error(), "stop it first; when it is stopped, wait ") {
		t.Errorf("remove a node that is alive: got %v", err)
	}
	if err := p.Remove(t.Context(), "n9"); !errors.Is(err, placement.ErrUnknownNode) {
		t.Errorf("remove a node that is not there: got %v", err)
	}
	c.stop(3)
	c.eventually("it is removed", func() bool { return p.Remove(t.Context(), "n3") == nil })
	c.readmits()
	c.members(2, 0)
	c.fill(20, 30)
	c.join("n4", 2)
	c.members(3, 0)
	c.holds(30)
}

func TestAFourthNodeTakesOverFromADeadOne(t *testing.T) {
	c := three(t)
	c.join("n4", 3)
	c.stop(2)
	c.eventually("node 2 holds nothing any more", func() bool {
		for s := range cluster.ShardID(testShards) {
			n, _ := c.leader(s + 1)
			if st, err := n.engine.Status(t.Context(), s+1); err != nil || len(voters(st)) != 3 || slices.Contains(voters(st), 2) {
				return false
			}
		}
		return true
	})
	c.fill(20, 30)
	c.holds(30)
}

// readmits checks that the certificate of n3, which was removed, is refused until it is
// readmitted, and that of no other node.
func (c *testCluster) readmits() {
	banned := func(id core.NodeID) bool {
		_, banned := c.nodes[1].known.Banned(fmt.Append(nil, "certificate of ", id))
		return banned
	}
	c.eventually("the certificate of n3 is refused", func() bool { return banned(3) })
	if banned(2) {
		c.Error("that of n2 is refused")
	}
	other := c.nodes[2].placement // the leader is asked through it
	if err := other.Readmit(c.Context(), "n2"); !errors.Is(err, placement.ErrUnknownNode) {
		c.Errorf("a member: got %v, want ErrUnknownNode", err)
	}
	c.eventually("it is readmitted", func() bool { return other.Readmit(c.Context(), "n3") == nil })
	c.eventually("it is refused no more", func() bool { return !banned(3) })
}

func TestReplicasThatMovedAwayAreRemoved(t *testing.T) {
	c := three(t)
	c.join("n4", 1)
	c.eventually("every node has three quarters of the replicas", func() bool {
		total := 0
		for _, n := range c.running() {
			for s := range cluster.ShardID(testShards) {
				if _, err := n.engine.Status(t.Context(), s+1); err == nil {
					total++
				}
			}
		}
		return total == 3*testShards
	})
	c.holds(20)
	for _, n := range c.running() {
		for s := range cluster.ShardID(testShards + 1) {
			c.eventually("the owner is known", func() bool {
				leader, _ := c.leader(s)
				owner, ok := n.placement.Shards().Owner(s)
				return ok && owner.Address == leader.name+":rpc"
			})
		}
	}
}

func TestTablesAreChangedFromEveryNode(t *testing.T) {
	c := three(t)
	for _, n := range c.running() {
		tables := n.placement.Tables()
		c.eventually("a change", func() bool {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			return tables.Change(ctx, "revoked", map[string][]byte{n.name: []byte("1")}, nil) == nil
		})
		for _, other := range c.running() { // without waiting: the change was answered
			if _, ok := other.placement.Tables().Get("revoked", n.name); !ok {
				t.Errorf("%s changed a table, %s does not have it", n.name, other.name)
			}
		}
	}
}

func TestJoinIsRefused(t *testing.T) {
	c := newCluster(t)
	c.found("n1")
	c.eventually("the registry is there", func() bool { return c.nodes[1].placement.Tables().Read("nodes").Revision() > 0 })
	tests := []struct {
		name   string
		node   placement.Node
		shards int
		clock  time.Duration
		want   error
		says   string
	}{
		{"under a live node's name", self("n1"), 0, 0, placement.ErrTemporary, "another --node name"},
		{"another number of shards", self("n2"), 64, 0, placement.ErrRefused, "--shards 4"},
		{"a clock behind", self("n2"), 0, -11 * time.Second, placement.ErrTemporary, "NTP"},
		{"a clock ahead", self("n2"), 0, 11 * time.Second, placement.ErrTemporary, "NTP"},
		{"without addresses", placement.Node{Name: "n2"}, 0, 0, placement.ErrRefused, "addresses"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a := newApplicant("")
			a.Node, a.Shards, a.Clock = tt.node, tt.shards, time.Now().Add(tt.clock)
			_, err := c.ask(1, a)
			if !errors.Is(err, tt.want) || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("got %v, want %v that says %q", err, tt.want, tt.says)
			}
		})
	}
	if n := len(c.nodes[1].registry().Nodes()); n != 1 {
		t.Errorf("the registry has %d nodes, want 1", n)
	}
	a := newApplicant("n2")
	a.Shards, a.Clock = testShards, time.Now().Add(9*time.Second)
	m, err := c.ask(1, a)
	if err != nil || m.ID != 2 || m.Cluster != "c1" || m.Shards != testShards || len(m.Nodes) != 2 {
		t.Errorf("got %+v, %v", m, err)
	}
}

func TestJoinWithOtherSettingsIsRefused(t *testing.T) {
	c := newCluster(t)
	c.found("n1")
	c.eventually("the registry is there", func() bool { return c.nodes[1].placement.Tables().Read("nodes").Revision() > 0 })
	c.settings = map[string]string{"link codes of realm acme": "8 digits"}
	_, err := c.ask(1, newApplicant("n2"))
	if want := "the cluster has link codes of realm acme 6 digits, node n2 has 8 digits"; !errors.Is(err, placement.ErrRefused) || !strings.Contains(err.Error(), want) {
		t.Errorf("got %v, want ErrRefused that says %q", err, want)
	}
	c.settings = map[string]string{"link codes of realm acme": "6 digits", "link codes of realm new": "7 digits"}
	if _, err := c.ask(1, newApplicant("n2")); err != nil {
		t.Errorf("a realm that only one node has: %v", err)
	}
}

func TestOnlyMembersAreServed(t *testing.T) {
	c := newCluster(t)
	c.found("n1")
	p := c.nodes[1].placement
	if answer, err := p.Serve(t.Context(), 1, []byte("rubbish")); err == nil {
		t.Errorf("rubbish: got %q", answer)
	}
	answer, err := p.Serve(t.Context(), 9, []byte{0x12, 0x02, 0x08, 0x01}) // prepare shard 1
	if err != nil || !strings.Contains(string(answer), "not a member") {
		t.Errorf("a stranger: got %q, %v", answer, err)
	}
}
