package faultrun

import (
	"slices"
	"testing"
	"time"
)

// zoneRate is the load in calls per second: six processes share the machine.
const zoneRate = 120

// startZones starts a node in each of the zones, by their order, and returns when any
// one zone may be lost.
func startZones(t testing.TB, network *Network, zones ...string) *Cluster {
	t.Helper()
	c := prepare(t, &Cluster{zones: zones, network: network})
	for range zones {
		c.Add().Start()
	}
	c.awaitZones()
	return c
}

// awaitZones waits until every node says that any one zone may be lost, by what is
// confirmed of each shard, and that three nodes vote in each.
func (c *Cluster) awaitZones() {
	c.Helper()
	c.until("any zone may be lost", readyWithin, func() bool {
		return !slices.ContainsFunc(c.Nodes, func(n *Node) bool {
			v, err := c.view(n)
			return err != nil || v.SpareZones < 1 || !n.Ready() || slices.ContainsFunc(v.Shards, func(s shardView) bool {
				return s.Leader == "" || s.Shard > 0 && (len(s.Replicas) != 3 || len(s.Learners) > 0)
			})
		})
	})
}

// inZone are the nodes of a zone.
func (c *Cluster) inZone(zone string) (nodes []*Node) {
	for i, n := range c.Nodes {
		if c.zones[i] == zone {
			nodes = append(nodes, n)
		}
	}
	return nodes
}

// TestAZoneMayDie kills both nodes of a zone at once under load. No shard has two of
// its voters there, so the others lead what was led there within moments. What the
// zone holds is not copied into the others, and when it is back any zone may die
// again.
func TestAZoneMayDie(t *testing.T) {
	c := startZones(t, nil, "a", "b", "c", "a", "b", "c")
	c.loseZones(t, volume(1, 9), func(n *Node) { n.Kill() }, func(nodes []*Node) {
		for _, n := range nodes {
			n.Launch()
		}
		for _, n := range nodes {
			n.AwaitReady()
		}
	})
}

// TestAZoneMayGoDark is the same where nothing says that the nodes are gone: their
// cables are cut, and then their power.
func TestAZoneMayGoDark(t *testing.T) {
	if !long() {
		t.Skip("as TestAZoneMayDie, by time-outs instead of broken connections; SSOD_LONG=1 runs it")
	}
	network := newNetwork()
	t.Cleanup(network.Close)
	c := startZones(t, network, "a", "b", "c", "a", "b", "c")
	c.loseZones(t, volume(1, 3), func(n *Node) {
		network.Part([]*Node{n}, c.others(n))
		c.dismiss(n)
	}, func(nodes []*Node) {
		for _, n := range nodes {
			n.Kill()
		}
		network.Heal()
		for _, n := range nodes {
			n.Start()
		}
	})
}

// loseZones loses one zone after the other, all of its nodes at once, under load.
func (c *Cluster) loseZones(t *testing.T, rounds int, lose func(*Node), restore func([]*Node)) {
	t.Helper()
	r := Begin(c, "zone", zoneRate)
	var failover Failover
	for i := range rounds {
		zone := string("abc"[i%3])
		victims := c.inZone(zone)
		left := slices.DeleteFunc(slices.Clone(c.Nodes), func(n *Node) bool { return slices.Contains(victims, n) })
		// Leads come back to a zone one after another once its nodes are ready.
		var before view
		var led []int
		c.until("zone "+zone+" leads some shards, and half of them at most", readyWithin, func() bool {
			v, err := c.view(left[0])
			if err == nil {
				before, led = v, v.ledBy(victims)
			}
			return err == nil && len(led) > 0 && len(led) <= Shards/2
		})
		at := time.Now()
		for _, n := range victims {
			lose(n)
		}
		failover = append(failover, r.awaitWrites(at, left, led)...)
		now := view{}
		c.until("it is seen that no more zone may be lost", readyWithin, func() bool {
			v, err := c.view(left[0])
			now = v
			return err == nil && now.SpareZones == 0
		})
		for s := range now.Shards[1:] {
			if was, is := before.Shards[1+s].Replicas, now.Shards[1+s].Replicas; !slices.Equal(was, is) {
				t.Errorf("shard %d was on %v and is on %v", 1+s, was, is)
			}
		}
		restore(victims)
		c.awaitZones()
	}
	r.Finish(t)
	failover.Report(t, "loss of a zone", long())
}

// ledBy are the data shards that some nodes lead.
func (v *view) ledBy(nodes []*Node) (shards []int) {
	for _, s := range v.Shards[1:] {
		if slices.ContainsFunc(nodes, func(n *Node) bool { return n.Name == s.Leader }) {
			shards = append(shards, s.Shard)
		}
	}
	return shards
}
