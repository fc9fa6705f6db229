package replica_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	pb "go.etcd.io/raft/v3/raftpb"

	"ssod/cluster"
	"ssod/cluster/replica"
	"ssod/cluster/replica/core"
	"ssod/persistence"
)

// TestANodeAloneGrowsUnderLoad: what a node committed while it was alone reaches
// the nodes that join it, and so does all that is committed meanwhile.
func TestANodeAloneGrowsUnderLoad(t *testing.T) {
	c := newClusterOf(t, 3, 1)
	c.fill(1, 0, 300)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	last := make(chan int, 1)
	_, shard := c.leader(1)
	go func() { last <- load(ctx, shard, 300) }()
	for _, n := range []core.NodeID{2, 3} {
		if err := c.engine(n).Create(1, persistence.NewReplicaID(n, 1)); err != nil {
			t.Fatal(err)
		}
		c.join(shard, n, pb.ConfChangeAddLearnerNode)
		c.has(n, 1, 299)
		c.join(shard, n, pb.ConfChangeAddNode)
	}
	stop()
	end := <-last
	for _, n := range []core.NodeID{2, 3} { // or they could not elect anybody without node 1
		c.eventually(fmt.Sprint("node ", n, " knows the three voters"), func() bool {
			st, err := c.engine(n).Status(t.Context(), 1)
			return err == nil && len(st.Applied.Conf.GetVoters()) == 3 && len(st.Applied.Conf.GetVotersOutgoing()) == 0
		})
	}
	c.stop(1)
	c.fill(1, end, end+10)
	for i := range end + 10 {
		c.has(2, 1, i)
		c.has(3, 1, i)
	}
}

// TestANodeAloneReportsTheMetaShard: a watcher of the meta shard learns of
// its changes on a node that leads it without others, too.
func TestANodeAloneReportsTheMetaShard(t *testing.T) {
	store := openStore(t, vfs.NewMem(), "data")
	t.Cleanup(func() { store.Close() })
	told := make(chan struct{}, 100)
	e, err := replica.Alone(t.Context(), replica.Config{
		Node: 1, Shards: 8, Log: store.Log(), State: store, Address: func(core.NodeID) string { return "" },
		MetaApplied: func() { told <- struct{}{} },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close() })
	shard, ok := e.Lead(cluster.MetaShard)
	if !ok {
		t.Fatal("the meta shard has no leader")
	}
	for i := range 3 {
		for len(told) > 0 {
			<-told
		}
		if err := shard.Commit(t.Context(), cluster.Commit{Entity: entity(i), State: []byte("x")}); err != nil {
			t.Fatal(err)
		}
		select {
		case <-told:
		case <-time.After(2 * time.Minute):
			t.Fatal("not told of a change of the meta shard")
		}
	}
}

// load commits one entity after the other, from a number on, until ctx ends. It
// returns the number after the last one that was acknowledged.
func load(ctx context.Context, shard cluster.Shard, i int) int {
	for ctx.Err() == nil {
		err := shard.Commit(ctx, cluster.Commit{Entity: entity(i), State: make([]byte, 500)})
		if err == nil || errors.Is(err, cluster.ErrRejected) {
			i++
		}
	}
	return i
}

// join makes a node a member of shard 1 that node 1 leads. Raft forgets a change
// that comes while another is under way.
func (c *testCluster) join(shard cluster.Shard, n core.NodeID, as pb.ConfChangeType) {
	c.Helper()
	id := uint64(persistence.NewReplicaID(n, 1))
	c.eventually(fmt.Sprintf("node %d joins: %v", n, as), func() bool {
		s, err := c.engine(1).Status(c.Context(), 1)
		if err != nil || s.Term != shard.Term() {
			return false
		}
		members := s.Applied.Conf.GetLearners()
		if as == pb.ConfChangeAddNode {
			members = s.Applied.Conf.GetVoters()
		}
		if slices.Contains(members, id) {
			return true
		}
		_ = c.engine(1).ChangeMembers(c.Context(), s, []*pb.ConfChangeSingle{{Type: as.Enum(), NodeId: new(id)}})
		return false
	})
}
