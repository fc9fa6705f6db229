package replica_test

import (
	"errors"
	iofs "io/fs"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"ssod/cluster/replica/core"
)

// room says how much room the disk of a node has.
func (n *testNode) room(bytes uint64) { n.fs.TestingSetDiskUsage(vfs.DiskUsage{AvailBytes: bytes}) }

// snapshotFiles are the files of snapshots on a node's disk.
func (n *testNode) snapshotFiles(t *testing.T) (all []string) {
	t.Helper()
	for _, dir := range []string{"data/snapshots", "data/installs"} {
		names, err := n.fs.List(dir)
		if err != nil && !errors.Is(err, iofs.ErrNotExist) {
			t.Fatal(err)
		}
		all = append(all, names...)
	}
	return all
}

// A snapshot for which the receiver or the sender has no room is not made, however
// often it is tried, and leaves no file. When there is room the replica gets it.
func TestASnapshotWaitsForRoom(t *testing.T) {
	for _, tt := range []struct {
		name string
		full func(c *testCluster, leader, away core.NodeID) *testNode
	}{
		{"at the receiver", func(c *testCluster, _, away core.NodeID) *testNode { return c.nodes[away] }},
		{"at the sender", func(c *testCluster, leader, _ core.NodeID) *testNode { return c.nodes[leader] }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := newCluster(t, 3)
			leader, _ := c.leader(1)
			away := leader%3 + 1
			c.stop(away)
			c.fill(1, 0, 1200) // far more than the log keeps
			leader, _ = c.leader(1)
			full := tt.full(c, leader, away)
			full.room(1)
			c.start(away)
			c.eventually("it was tried three times", func() bool { return c.offered.Load() >= 3 })
			for id, n := range c.nodes {
				if files := n.snapshotFiles(t); len(files) > 0 {
					t.Errorf("node %d keeps %v", id, files)
				}
			}
			if n := c.carried.Load(); n > 0 {
				t.Errorf("%d snapshots were carried", n)
			}
			full.room(1 << 30)
			c.has(away, 1, 1199)
			c.eventually("no node keeps a file", func() bool {
				for _, n := range c.nodes {
					if len(n.snapshotFiles(t)) > 0 {
						return false
					}
				}
				return true
			})
		})
	}
}
