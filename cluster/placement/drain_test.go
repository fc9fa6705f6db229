package placement_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"ssod/cluster"
	"ssod/cluster/placement"
	"ssod/cluster/replica/core"
)

// grown starts a cluster of so many nodes and lets all shards come to their places.
func (c *testCluster) grown(names ...string) {
	c.Helper()
	c.found(names[0])
	c.fill(0, 10)
	for _, name := range names[1:] {
		c.join(name, 1)
	}
	c.placed(c.nodes[1])
}

// placed waits until every shard has as many copies as the settings ask for.
func (c *testCluster) placed(n *testNode) {
	c.Helper()
	c.eventually("every shard has its copies", func() bool { return n.placement.Unplaced() == 0 })
}

// decide asks a node for a decision, again while there is no leader.
func (c *testCluster) decide(ask func(context.Context) error) error {
	c.Helper()
	var err error
	c.eventually("a decision", func() bool {
		ctx, cancel := context.WithTimeout(c.Context(), 5*time.Second)
		defer cancel()
		err = ask(ctx)
		return !errors.Is(err, placement.ErrTemporary)
	})
	return err
}

func (c *testCluster) drain(at core.NodeID, name string) error {
	c.Helper()
	p := c.nodes[at].placement
	return c.decide(func(ctx context.Context) error { return p.Drain(ctx, name) })
}

func (c *testCluster) undrain(at core.NodeID, name string) error {
	c.Helper()
	p := c.nodes[at].placement
	return c.decide(func(ctx context.Context) error { return p.Undrain(ctx, name) })
}

// leave waits until a drained node holds nothing, and has it leave as its process does.
func (c *testCluster) leave(id core.NodeID) {
	c.Helper()
	p := c.nodes[id].placement
	c.eventually("the node holds nothing", func() bool { return p.Empty(c.Context()) })
	p.StepAside()
	if p.InContact(time.Now()) {
		c.Error("the node serves when it has stepped aside")
	}
	_, drain := p.Leave()
	if err := c.decide(func(ctx context.Context) error { return p.HasLeft(ctx, drain) }); err != nil {
		c.Fatal(err)
	}
	c.eventually("all know that it has left", func() bool {
		for _, n := range c.running() {
			if other, _ := n.known.Node(id); other.Leave != placement.Leave_LEFT {
				return false
			}
		}
		return true
	})
}

// again restarts a node's part in the placement, as a restart of its process does.
func (c *testCluster) again(id core.NodeID) {
	c.Helper()
	n := c.nodes[id]
	if err := n.placement.Close(); err != nil {
		c.Fatal(err)
	}
	c.assignment(n, func(*placement.Config) {})
}

// five become three, three one, and nothing is lost. Nothing waits for nodes that left,
// although they are gone.
func TestNodesAreDrained(t *testing.T) {
	c := newCluster(t)
	c.lease = time.Hour
	c.grown("n1", "n2", "n3", "n4", "n5")
	for i, name := range []string{"n1", "n4"} { // the founder too
		if err := c.drain(core.NodeID(i+2), name); err != nil {
			t.Fatal(err)
		}
	}
	c.leave(1)
	c.leave(4)
	c.fill(10, 20)
	c.stop(1)
	c.stop(4)
	c.change(c.nodes[2], "revoked", "client")
	c.placed(c.nodes[2])
	c.confirmed()
	if err := c.drain(2, "n5"); !errors.Is(err, placement.ErrNotDrained) || !strings.Contains(err.Error(), "2 nodes would be left (n2, n3) for 3 copies of each shard: join another node, or lower the copies first: ssoctl cluster set replicas=1") {
		t.Errorf("three nodes for three copies: got %v", err)
	}
	c.configure(c.nodes[3], map[string]string{"replicas": "1"})
	for _, name := range []string{"n5", "n2"} {
		if err := c.drain(3, name); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.drain(5, "n3"); !errors.Is(err, placement.ErrNotDrained) || !strings.Contains(err.Error(), "no other node is there") {
		t.Errorf("the last node: got %v", err)
	}
	c.leave(2)
	c.leave(5)
	c.stop(2)
	c.stop(5)
	c.fill(20, 30)
	c.holds(30)
}

func TestADrainIsRefused(t *testing.T) {
	c := newCluster(t)
	c.grown("n1", "n2", "n3", "n4")
	tests := []struct {
		name string
		err  error
		says string
	}{
		{"n9", placement.ErrUnknownNode, "n9"},
		{"n4", placement.ErrNotDrained, "give it up with ssoctl remove n4"},
		{"n3", placement.ErrNotDrained, "2 nodes would be left (n1, n2) for 3 copies of each shard; not there: n4"},
	}
	c.stop(4)
	c.eventually("n4 is missed", func() bool {
		leader, _ := c.leader(cluster.MetaShard)
		return !leader.placement.Alive(4)
	})
	for _, tt := range tests {
		for _, at := range []core.NodeID{1, 2} {
			if err := c.drain(at, tt.name); !errors.Is(err, tt.err) || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("%s at node %d: got %v, want %v that says %q", tt.name, at, err, tt.err, tt.says)
			}
		}
	}
	if how, _ := c.nodes[3].placement.Leave(); how != placement.Leave_STAYS {
		t.Error("n3 is drained")
	}
}

// Of two drains at once, which the cluster bears one by one and not together, one is
// refused, whichever nodes are asked.
func TestTwoDrainsAreJudgedTogether(t *testing.T) {
	c := newCluster(t)
	c.grown("n1", "n2", "n3", "n4")
	var errs [2]error
	var both sync.WaitGroup
	for i, name := range []string{"n3", "n4"} {
		both.Go(func() { errs[i] = c.drain(core.NodeID(i+1), name) })
	}
	both.Wait()
	if (errs[0] == nil) == (errs[1] == nil) || !errors.Is(errors.Join(errs[:]...), placement.ErrNotDrained) {
		t.Errorf("got %v and %v, want one that is refused", errs[0], errs[1])
	}
}

// A drain that is taken back ends where it is; what has left comes back when it is
// taken back, and not before.
func TestADrainIsTakenBack(t *testing.T) {
	c := newCluster(t)
	c.grown("n1", "n2", "n3", "n4")
	if err := c.drain(1, "n4"); err != nil {
		t.Fatal(err)
	}
	_, first := c.nodes[4].placement.Leave()
	if err := c.undrain(4, "n4"); err != nil {
		t.Fatal(err)
	}
	p := c.nodes[4].placement
	if err := c.decide(func(ctx context.Context) error { return p.HasLeft(ctx, first) }); !errors.Is(err, placement.ErrRefused) {
		t.Errorf("it leaves by a drain that was taken back: got %v", err)
	}
	if err := c.drain(1, "n4"); err != nil {
		t.Fatal(err)
	}
	if err := c.decide(func(ctx context.Context) error { return p.HasLeft(ctx, first) }); !errors.Is(err, placement.ErrRefused) {
		t.Errorf("it leaves by an earlier drain: got %v", err)
	}
	c.leave(4)
	c.again(4)
	c.fill(10, 20)
	if p := c.nodes[4].placement; p.InContact(time.Now()) || !p.Empty(t.Context()) {
		t.Error("a node that has left serves, or holds something, when it was started again")
	}
	if err := c.undrain(2, "n4"); err != nil {
		t.Fatal(err)
	}
	c.eventually("it holds its share, and may serve", func() bool {
		p := c.nodes[4].placement
		return p.Holdings(4).Copies > 0 && p.InContact(time.Now())
	})
	c.placed(c.nodes[1])
	c.holds(20)
}

// What has left and is gone makes room for an empty directory at once, with the
// certificate that it had. What has left and is gone is not taken back.
func TestANodeThatHasLeftIsReplacedAtOnce(t *testing.T) {
	c := newCluster(t)
	c.silentFor = time.Hour
	c.grown("n1", "n2", "n3", "n4")
	if err := c.drain(1, "n4"); err != nil {
		t.Fatal(err)
	}
	c.leave(4)
	if err := c.nodes[1].placement.Remove(t.Context(), "n4"); !errors.Is(err, placement.ErrNeeded) || !strings.HasSuffix(err.Error(), "stop it first; when it is stopped, wait 1s") {
		t.Errorf("what has left is still there: got %v", err)
	}
	c.stop(4)
	c.eventually("n4 is missed", func() bool {
		leader, _ := c.leader(cluster.MetaShard)
		return !leader.placement.Alive(4)
	})
	if err := c.undrain(1, "n4"); !errors.Is(err, placement.ErrNotDrained) || !strings.Contains(err.Error(), "start it first") {
		t.Errorf("undrain of a node that is gone: got %v", err)
	}
	id := c.join("n4", 1)
	if id != 5 {
		t.Errorf("the new node has id %d, want 5", id)
	}
	c.eventually("it holds its share", func() bool { return c.nodes[5].placement.Holdings(5).Copies > 0 })
	c.placed(c.nodes[1])
	if by, banned := c.nodes[1].known.Banned([]byte("certificate of 4")); banned {
		t.Errorf("its certificate is refused, because of %v", by)
	}
	c.holds(10)
}

// A drained node that dies half-way is replaced as others are, and goes on to leave when
// it is back.
func TestADrainedNodeDies(t *testing.T) {
	c := newCluster(t)
	c.grown("n1", "n2", "n3", "n4")
	shard, lacks := c.shardOf(4)
	c.setSlow(func(id cluster.ShardID) bool { return id == shard })
	c.set(c.held, lacks, true) // its replacement does not catch up
	if err := c.drain(1, "n4"); err != nil {
		t.Fatal(err)
	}
	c.setCut(4, true)
	c.eventually("it is dead", func() bool {
		n, _ := c.nodes[1].known.Node(4)
		return n.State == placement.NodeState_DEAD
	})
	if h := c.nodes[1].placement.Holdings(4); h.Copies == 0 {
		t.Errorf("it holds %v, want what it was cut off with", h)
	}
	c.set(c.held, lacks, false)
	c.eventually("it holds nothing", func() bool { return c.nodes[1].placement.Holdings(4).Copies == 0 })
	if n, _ := c.nodes[1].known.Node(4); n.Leave != placement.Leave_LEAVES {
		t.Errorf("it is %v, want LEAVES", n.Leave)
	}
	c.fill(10, 20)
	c.setCut(4, false)
	c.leave(4)
	c.holds(20)
}

// shardOf is a shard of which a node has a copy, and a node that has none.
func (c *testCluster) shardOf(n core.NodeID) (shard cluster.ShardID, lacks core.NodeID) {
	c.Helper()
	for id := range cluster.ShardID(testShards) {
		assignment, _ := c.nodes[1].known.Assignment(int(id + 1))
		for other := range c.nodes {
			if assignment.Has(n) && !assignment.Has(other) {
				return id + 1, other
			}
		}
	}
	c.Fatalf("node %d has no shard that another one lacks", n)
	return 0, 0
}
