package placement_test

import (
	"testing"

	"ssod/cluster/replica/core"
)

// testNeed is how much of a disk must be free for further replicas.
const testNeed = 100

// free is what a node says of its disk.
func (c *testCluster) free(n core.NodeID) (uint64, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	free, known := c.space[n]
	return free, known
}

func (c *testCluster) setFree(n core.NodeID, free uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.space[n] = free
}

// A node whose disk has no room gets no replicas, except that of the tables, and
// gets them when it has.
func TestADiskWithoutRoomGetsNoReplicas(t *testing.T) {
	c := newCluster(t)
	c.setFree(1, testNeed-1)
	c.setFree(2, testNeed-1)
	c.found("n1")
	c.join("n2", 1)
	holds := func() (shards int) {
		for s := range testShards {
			if assignment, ok := c.nodes[1].registry().Assignment(s + 1); ok && assignment.Has(2) {
				shards++
			}
		}
		return shards
	}
	c.eventually("the map has the new node", func() bool {
		assignment, ok := c.nodes[1].registry().Assignment(0)
		return ok && assignment.Has(2)
	})
	if n := holds(); n > 0 {
		t.Errorf("it gets %d shards", n)
	}
	c.setFree(2, testNeed*3/2)
	c.eventually("it gets all shards", func() bool { return holds() == testShards })
	c.setFree(2, 1)
	c.join("n3", 1)
	c.members(3, 0)
}
