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

// change changes a table on a node, whichever leads.
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
	if cut {
		c.lose(id)
	} else {
		delete(c.lost, id)
	}
}

// A revocation is answered when no node serves any more that does not know it: a
// node that is cut off has lost its right to serve by then, and has it again when
// it knows. For how long the leader has led plays no part.
func TestARevocationOutlastsTheLeaseOfACutOffNode(t *testing.T) {
	c := newCluster(t)
	c.lease = testLease / 4
	grow(c)
	leader, cut := c.follower()
	led := time.Now()
	c.eventually("a leader leads for longer than a lease counts, and all are in contact", func() bool {
		now, _ := c.leader(cluster.MetaShard)
		if now != leader {
			leader, cut = c.follower()
			led = time.Now()
		}
		return time.Since(led) > c.lease+time.Second && cut.placement.InContact(time.Now())
	})
	c.setCut(cut.id, true)
	c.change(leader, "revoked", "client")
	if cut.placement.InContact(time.Now()) {
		t.Error("the revocation is answered while a node that does not know it may serve")
	}
	if _, ok := cut.placement.Tables().Get("revoked", "client"); ok {
		t.Error("the node was not cut off")
	}
	c.eventually("the others may serve", func() bool { return leader.placement.InContact(time.Now()) })
	c.setCut(cut.id, false)
	c.eventually("the node knows, and may serve again", func() bool {
		serves := cut.placement.InContact(time.Now())
		_, knows := cut.placement.Tables().Get("revoked", "client")
		if serves && !knows {
			t.Error("the node may serve and does not know the revocation")
			return true
		}
		return serves
	})
}

// Other tables do not wait for a lease, which here would never end.
func TestAStatementDoesNotWaitForACutOffNode(t *testing.T) {
	c := newCluster(t)
	c.lease = time.Hour
	grow(c)
	leader, cut := c.follower()
	c.eventually("the node is in contact", func() bool { return cut.placement.InContact(time.Now()) })
	c.setCut(cut.id, true)
	c.change(leader, "statements", "s")
}

// Without a majority no node may serve for longer than the lease.
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

// answered makes a change that must be answered, and reports whether a node had
// lost its right to serve by then.
func (c *testCluster) answered(n *testNode, table, key string, other *testNode) (cutOff bool) {
	c.Helper()
	ctx, cancel := context.WithTimeout(c.Context(), 18*time.Second)
	defer cancel()
	if err := n.placement.Tables().Change(ctx, table, map[string][]byte{key: []byte("1")}, nil); err != nil {
		c.Fatalf("change of %s: %v", table, err)
	}
	return !other.placement.InContact(time.Now())
}

// A node that is heard, and neither asks nor can be asked, is waited for until
// its lease is over and not as long as it is heard.
func TestARevocationDoesNotWaitForWhoIsOnlyHeard(t *testing.T) {
	c := three(t)
	leader, heard := c.follower()
	c.eventually("all are in contact", func() bool {
		return heard.placement.InContact(time.Now()) && leader.placement.InContact(time.Now())
	})
	c.set(c.unread, heard.id, true)
	for id := range c.nodes {
		c.set(c.unasked, id, true)
	}
	if !c.answered(leader, "revoked", "client", heard) {
		t.Error("the revocation is answered while a node that does not know it may serve")
	}
	if _, ok := heard.placement.Tables().Get("revoked", "client"); ok {
		t.Error("the node was not cut off from the tables")
	}
}

// Nor does it wait for ever for one that asks and is answered, but never says
// that it has what it was told of.
func TestARevocationDoesNotWaitForWhoNeverConfirms(t *testing.T) {
	c := three(t)
	leader, mute := c.follower()
	c.eventually("the node is in contact", func() bool { return mute.placement.InContact(time.Now()) })
	c.set(c.unasked, mute.id, true)
	for _, n := range c.running() {
		if n != leader && n != mute {
			c.answered(n, "revoked", "client", mute) // asks the leader, again and again
		}
	}
}

// A new leader counts from when it led: what the one before answered is all it
// cannot know.
func TestARevocationByANewLeaderOutlastsLeases(t *testing.T) {
	c := three(t)
	old, cut := c.follower()
	c.eventually("the node is in contact", func() bool { return cut.placement.InContact(time.Now()) })
	c.setCut(cut.id, true)
	for _, n := range c.running() {
		if n == old {
			continue
		}
		c.eventually("another node leads", func() bool {
			st, err := old.engine.Status(t.Context(), cluster.MetaShard)
			for r := range st.Match {
				if err == nil && r.Node() == n.id {
					err = old.engine.Transfer(t.Context(), cluster.MetaShard, r)
				}
			}
			_, leads := n.engine.Lead(cluster.MetaShard)
			return leads
		})
		if !c.answered(n, "revoked", "client", cut) {
			t.Error("the revocation is answered while a node that does not know it may serve")
		}
	}
}

// What was not spread when the caller gave up is not answered as if it were.
func TestAChangeThatIsNotSpreadIsUnknown(t *testing.T) {
	c := three(t)
	leader, cut := c.follower()
	c.eventually("the node is in contact", func() bool { return cut.placement.InContact(time.Now()) })
	c.setCut(cut.id, true)
	ctx, cancel := context.WithTimeout(t.Context(), testLease/4)
	defer cancel()
	err := leader.placement.Tables().Change(ctx, "revoked", map[string][]byte{"client": []byte("1")}, nil)
	if err == nil && cut.placement.InContact(time.Now()) {
		t.Error("the revocation is answered while a node that does not know it may serve")
	}
	if err != nil && !errors.Is(err, cluster.ErrUnknown) && !errors.Is(err, cluster.ErrRefused) {
		t.Errorf("got %v", err)
	}
}
