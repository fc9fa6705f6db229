package placement_test

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"ssod/cluster"
	"ssod/cluster/replica/core"
)

// testSlow is the age of a write that makes the disk of a test cluster slow, and
// how long it must be quick to be so no more.
const testSlow = time.Second

// testDisk is a disk whose log syncs wait while it hangs.
type testDisk struct {
	mem  *vfs.MemFS
	gate sync.RWMutex
}

func newTestDisk() *testDisk { return &testDisk{mem: vfs.NewMem()} }

// free says how much room there is.
func (d *testDisk) free(bytes uint64) { d.mem.TestingSetDiskUsage(vfs.DiskUsage{AvailBytes: bytes}) }

func (d *testDisk) fs() vfs.FS {
	return errorfs.Wrap(d.mem, errorfs.InjectorFunc(func(op errorfs.Op) error {
		if (op.Kind == errorfs.OpFileSyncData || op.Kind == errorfs.OpFileSync) && strings.HasSuffix(op.Path, ".log") {
			d.gate.RLock()
			defer d.gate.RUnlock()
		}
		return nil
	}))
}

// is reports whether a node is in a set.
func (c *testCluster) is(set map[core.NodeID]bool, n core.NodeID) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return set[n]
}

func (c *testCluster) set(set map[core.NodeID]bool, n core.NodeID, is bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	set[n] = is
}

// A node whose disk hangs hands its leads over, takes none although the map
// prefers it, and has them back when the disk has been quick for a while. What it
// led goes on meanwhile.
func TestANodeWhoseDiskHangsLeadsNothing(t *testing.T) {
	c := three(t)
	n := c.nodes[2]
	c.eventually("the node leads something", func() bool { return n.leads() > 0 })
	disk := c.disks[2]
	disk.gate.Lock()
	release := sync.OnceFunc(disk.gate.Unlock)
	defer release()
	stop := c.write(n)
	defer stop()
	c.eventually("the node leads nothing", func() bool { return n.engine.Disk().Slow && n.leads() == 0 })
	if !n.placement.Relieved() {
		t.Error("no other node accepts leads")
	}
	c.fill(20, 25)
	if n.leads() > 0 {
		t.Error("the node took a lead with a disk that hangs")
	}
	release()
	c.eventually("the node leads something again", func() bool { return !n.engine.Disk().Slow && n.leads() > 0 })
}

// A node whose disk is full hands its leads to those that have room, takes none, and
// has them back when it has had room for a while. Where no node has room everything
// stays.
func TestANodeWhoseDiskIsFullLeadsNothing(t *testing.T) {
	c := three(t)
	full := func(n *testNode, is bool) {
		t.Helper()
		if is {
			c.disks[n.id].free(1)
		} else {
			c.disks[n.id].free(300 << 20)
		}
		c.eventually("the disk is judged", func() bool { return n.engine.Disk().Full == is })
	}
	n := c.nodes[2]
	c.eventually("the node leads something", func() bool { return n.leads() > 0 })
	full(n, true)
	c.eventually("the node leads nothing", func() bool { return n.leads() == 0 })
	c.fill(20, 25)
	if n.leads() > 0 {
		t.Error("the node took a lead with a full disk")
	}
	full(n, false)
	c.eventually("the node leads something again", func() bool { return n.leads() > 0 })

	last := c.nodes[3]
	full(c.nodes[1], true)
	full(n, true)
	c.eventually("the last node with room leads everything", func() bool { return last.leads() == testShards+1 })
	full(last, true)
	c.eventually("the others know", func() bool { return !c.nodes[1].placement.Relieved() && !n.placement.Relieved() })
	if got := last.leads(); got != testShards+1 {
		t.Errorf("of full disks one leads %d, want all %d", got, testShards+1)
	}
	full(c.nodes[1], false)
	c.eventually("the first node with room leads everything", func() bool { return c.nodes[1].leads() == testShards+1 })
	c.fill(25, 30)
}

// write keeps the disk of a node busy with commits to what it leads.
func (c *testCluster) write(n *testNode) (stop func()) {
	var writing sync.WaitGroup
	ctx, done := c.Context(), make(chan struct{})
	for id := range cluster.ShardID(testShards) {
		writing.Go(func() {
			if shard, ok := n.engine.Lead(id + 1); ok {
				_ = shard.Commit(ctx, cluster.Commit{Entity: entity(1000)}) // its outcome is of no interest
			}
		})
	}
	writing.Go(func() { <-done })
	return func() { close(done); writing.Wait() }
}

// Where no other node can lead, a disk that hangs changes nothing.
func TestASlowDiskAloneKeepsItsLeads(t *testing.T) {
	c := newCluster(t)
	c.found("n1")
	n := c.nodes[1]
	c.eventually("the node leads everything", func() bool { return n.leads() == testShards+1 })
	c.disks[1].gate.Lock()
	release := sync.OnceFunc(c.disks[1].gate.Unlock)
	defer release()
	stop := c.write(n)
	c.eventually("the disk is slow", func() bool { return n.engine.Disk().Slow })
	if n.placement.Relieved() || n.leads() != testShards+1 {
		t.Errorf("relieved %v, leads %d", n.placement.Relieved(), n.leads())
	}
	release()
	stop()
	c.fill(0, 2)
}

// The only node, with a disk that is slow and stays so, gives others replicas and
// votes: that is how the data gets off it. Then they lead.
func TestASlowDiskAloneIsGrownOutOf(t *testing.T) {
	c := newCluster(t)
	c.quiet = time.Hour
	c.found("n1")
	n := c.nodes[1]
	c.eventually("the node leads everything", func() bool { return n.leads() == testShards+1 })
	c.disks[1].gate.Lock()
	release := sync.OnceFunc(c.disks[1].gate.Unlock)
	defer release()
	stop := c.write(n)
	c.eventually("the disk is slow", func() bool { return n.engine.Disk().Slow })
	release()
	stop()
	c.join("n2", 1)
	c.join("n3", 1)
	c.members(3, 0)
	c.eventually("the node leads nothing", func() bool { return n.leads() == 0 })
	if !n.engine.Disk().Slow {
		t.Error("the disk was taken for quick")
	}
}

// Replicas that make no progress hold up no others: all shards get theirs on the
// other node, although only two wait for one at a time.
func TestAStuckReplicaFreesItsPlace(t *testing.T) {
	c := newCluster(t)
	c.found("n1")
	c.set(c.unread, 2, true)
	c.join("n2", 1)
	c.join("n3", 1)
	c.eventually("every shard has a replica on the node that takes it", func() bool {
		for id := range cluster.ShardID(testShards + 1) {
			st, err := c.nodes[1].engine.Status(t.Context(), id)
			if err != nil || !caughtUp(st, 3) {
				return false
			}
		}
		return true
	})
	c.set(c.unread, 2, false)
	c.members(3, 0)
}

// caughtUp reports whether a node's replica has everything.
func caughtUp(st core.Status, n core.NodeID) bool {
	for r, match := range st.Match {
		if r.Node() == n && match >= st.Applied.Index {
			return true
		}
	}
	return false
}
