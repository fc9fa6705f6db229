package placement_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"ssod/cluster"
	"ssod/cluster/replica/core"
)

// testLease is the lease of the nodes of a test cluster.
const testLease = 2 * time.Second

// change changes a table on a node, whoever leads.
func (c *testCluster) change(n *testNode, table, key string) {
	c.Helper()
	c.eventually("a change", func() bool {
		ctx, cancel := context.WithTimeout(c.Context(), 5*time.Second)
		defer cancel()
		return n.placement.Tables().Change(ctx, table, map[string][]byte{key: []byte("1")}, nil) == nil
	})
}

// follower is a node that does not lead the meta shard.
func (c *testCluster) follower() (leader, follower *testNode) {
	c.Helper()
	leader, _ = c.leader(cluster.MetaShard)
	for _, n := range c.running() {
		if n != leader {
			return leader, n
		}
	}
	c.Fatal("there is one node only")
	return nil, nil
}

func (c *testCluster) setCut(id core.NodeID, cut bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.cut[id] = cut
}

// A revocation is answered when nobody serves any more who does not know it: a
// node that is cut off has lost its right to serve by then, and has it again when
// it knows.
func TestARevocationOutlastsTheLeaseOfACutOffNode(t *testing.T) {
	c := three(t)
	leader, cut := c.follower()
	c.eventually("all are in contact", func() bool {
		return cut.placement.InContact(time.Now()) && leader.placement.InContact(time.Now())
	})
	c.setCut(cut.id, true)
	c.change(leader, "revoked", "client")
	if cut.placement.InContact(time.Now()) {
		t.Error("the revocation is answered while a node that does not know it may serve")
	}
	if _, ok := cut.placement.Tables().Get("revoked", "client"); ok {
		t.Error("the node was not cut off")
	}
	if !leader.placement.InContact(time.Now()) {
		t.Error("the others may not serve")
	}
	c.setCut(cut.id, false)
	c.eventually("the node may serve again", func() bool { return cut.placement.InContact(time.Now()) })
	if _, ok := cut.placement.Tables().Get("revoked", "client"); !ok {
		t.Error("the node may serve and does not know the revocation")
	}
}

// Other tables do not wait for a lease.
func TestAStatementDoesNotWaitForACutOffNode(t *testing.T) {
	c := three(t)
	leader, cut := c.follower()
	c.eventually("the node is in contact", func() bool { return cut.placement.InContact(time.Now()) })
	c.setCut(cut.id, true)
	c.change(leader, "statements", "s")
	if !cut.placement.InContact(time.Now()) {
		t.Errorf("the change took longer than the lease of %v", testLease)
	}
}

// Without a majority nobody may serve for longer than the lease.
func TestAMinorityLosesContact(t *testing.T) {
	c := three(t)
	leader, one := c.follower()
	for _, n := range c.running() {
		if n != one {
			c.setCut(n.id, true)
		}
	}
	for _, n := range []*testNode{leader, one} {
		c.eventually("the node may not serve", func() bool { return !n.placement.InContact(time.Now()) })
	}
}

// A wall clock that went on while the monotonic one stood still, as in a virtual
// machine that was paused, ends a lease too.
func TestBothClocksEndALease(t *testing.T) {
	c := newCluster(t)
	c.found("n1")
	p := c.nodes[1].placement
	if err := p.AwaitContact(t.Context()); err != nil {
		t.Fatal(err)
	}
	now := p.LastContact()
	for name, tt := range map[string]struct {
		at   time.Time
		want bool
	}{
		"at once":                   {now, true},
		"later by both":             {now.Add(testLease), false},
		"later by the wall clock":   {now.Round(0).Add(testLease), false},
		"the wall clock went back":  {now.Round(0).Add(-time.Hour), true},
		"just before the lease end": {now.Add(testLease - 1), true},
	} {
		if got := p.InContact(tt.at); got != tt.want {
			t.Errorf("%s: got %v, want %v", name, got, tt.want)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := p.AwaitContact(ctx); err != nil && !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}
