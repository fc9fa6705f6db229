package placement_test

import (
	"testing"
	"time"

	"ssod/cluster"
	"ssod/cluster/replica/core"
)

func (c *testCluster) setClock(id core.NodeID, ahead time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.clock[id] = ahead
}

// leads is how many shards a node leads.
func (n *testNode) leads() (count int) {
	for id := range cluster.ShardID(testShards + 1) {
		if _, ok := n.engine.Lead(id); ok {
			count++
		}
	}
	return count
}

// A node whose clock is off hands its leads over, takes none although the map
// prefers it, and has them back when its clock agrees again.
func TestANodeWhoseClockIsOffLeadsNothing(t *testing.T) {
	for name, ahead := range map[string]time.Duration{"ahead": 2100 * time.Millisecond, "behind": -5 * time.Minute} {
		t.Run(name, func(t *testing.T) {
			c := three(t)
			n := c.nodes[2]
			c.eventually("the node leads something", func() bool { return n.leads() > 0 })
			c.setClock(2, ahead)
			c.eventually("the node leads nothing", func() bool { return n.placement.Skew().Off && n.leads() == 0 })
			if got := n.placement.Skew().Ahead; got != ahead {
				t.Errorf("the clock is %v ahead, want %v", got, ahead)
			}
			for _, other := range []core.NodeID{1, 3} {
				if skew := c.nodes[other].placement.Skew(); skew.Off {
					t.Errorf("node %d has a good clock and says %+v", other, skew)
				}
			}
			c.fill(20, 25)
			if n.leads() > 0 {
				t.Error("the node took a lead with a clock that is off")
			}
			c.setClock(2, 1500*time.Millisecond)
			c.eventually("the difference is noticed", func() bool { return n.placement.Skew().Ahead == 1500*time.Millisecond })
			if !n.placement.Skew().Off {
				t.Error("a clock that was off is good again at 1.5 s")
			}
			c.setClock(2, 0)
			c.eventually("the node leads something again", func() bool { return n.leads() > 0 })
		})
	}
}

// Of two clocks either may be wrong.
func TestTwoClocksAreNotJudged(t *testing.T) {
	c := newCluster(t)
	c.found("n1")
	c.join("n2", 1)
	c.members(1, 1)
	c.setClock(2, time.Hour)
	c.fill(0, 5)
	for id, n := range c.nodes {
		if n.placement.Skew().Off {
			t.Errorf("node %d gave up its leads", id)
		}
	}
}
