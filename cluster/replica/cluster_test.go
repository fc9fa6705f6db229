package replica_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	pb "go.etcd.io/raft/v3/raftpb"

	"ssod/cluster"
	"ssod/cluster/replica"
	"ssod/cluster/replica/core"
	"ssod/persistence"
)

// testShards is the number of entity shards of a test cluster.
const testShards = 3

// testCluster is a few engines in one process with stores in memory.
type testCluster struct {
	*testing.T
	mu    sync.Mutex
	nodes map[core.NodeID]*testNode
	// offered and carried count snapshots.
	offered, carried atomic.Int64
}

type testNode struct {
	id     core.NodeID
	fs     *vfs.MemFS
	store  *persistence.Store
	engine *replica.Engine
}

// testTransport delivers at once, to nodes that run.
type testTransport struct {
	c    *testCluster
	from core.NodeID
}

func (t testTransport) Send(to core.NodeID, frame []byte) {
	if e := t.c.engine(to); e != nil {
		if err := e.Deliver(t.from, frame); err != nil {
			t.c.Errorf("deliver: %v", err)
		}
	}
}

func (t testTransport) Spare() []byte { return nil }

func (t testTransport) SendSnapshot(to core.NodeID, s *cluster.Snapshot) error {
	e := t.c.engine(to)
	if e == nil {
		return errors.New("the node is down")
	}
	t.c.offered.Add(1)
	if err := e.AdmitSnapshot(s.Size); err != nil {
		return err
	}
	file, frame, err := s.Make()
	if err != nil {
		return err
	}
	t.c.carried.Add(1)
	b, err := io.ReadAll(file)
	if err := errors.Join(err, file.Close()); err != nil {
		return err
	}
	return e.DeliverSnapshot(t.from, s.Name, bytes.NewReader(b), frame)
}

func (c *testCluster) engine(id core.NodeID) *replica.Engine {
	c.mu.Lock()
	defer c.mu.Unlock()
	if n := c.nodes[id]; n != nil {
		return n.engine
	}
	return nil
}

// newCluster starts nodes 1 to n; the first three are the voters of all shards.
func newCluster(t *testing.T, n int) *testCluster { return newClusterOf(t, n, 3) }

// newClusterOf starts nodes 1 to n; the first of them are the voters of all
// shards.
func newClusterOf(t *testing.T, n int, voters core.NodeID) *testCluster {
	c := &testCluster{T: t, nodes: map[core.NodeID]*testNode{}}
	conf := &pb.ConfState{}
	for id := range voters {
		conf.Voters = append(conf.Voters, uint64(persistence.NewReplicaID(id+1, 1)))
	}
	for i := range core.NodeID(n) {
		c.nodes[i+1] = &testNode{id: i + 1, fs: vfs.NewMem()}
		c.open(i + 1)
		for s := range core.ShardID(testShards + 1) {
			if i < voters {
				if _, err := c.nodes[i+1].store.Log().Create(s, persistence.NewReplicaID(i+1, 1), conf); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	for i := range core.NodeID(n) {
		c.start(i + 1)
	}
	t.Cleanup(func() {
		for i := range core.NodeID(n) {
			c.stop(i + 1)
		}
	})
	return c
}

func (c *testCluster) open(id core.NodeID) {
	var err error
	n := c.nodes[id]
	n.store, err = persistence.Open(persistence.Options{
		Dir: "data", FS: n.fs, DefaultNode: fmt.Sprint("n", id), Shards: testShards, Cluster: "tests", NodeID: persistence.NodeID(id), Logger: slog.New(slog.DiscardHandler), MemTableBytes: 1 << 20,
	})
	if err != nil {
		c.Fatal(err)
	}
}

// start starts a node on what its disk has.
func (c *testCluster) start(id core.NodeID) {
	c.Helper()
	c.startAs(id, func(*replica.Config) {})
}

func (c *testCluster) startAs(id core.NodeID, change func(*replica.Config)) {
	c.Helper()
	n := c.nodes[id]
	if n.store == nil {
		c.open(id)
	}
	cfg := replica.Config{
		Node: id, Shards: testShards, Log: n.store.Log(), State: n.store, Transport: testTransport{c, id},
		Address: func(n core.NodeID) string { return fmt.Sprint("n", n, ":1") }, Tick: 20 * time.Millisecond,
		Core: core.Config{LogKeep: 64 << 10, LogTail: 16 << 10},
	}
	change(&cfg)
	e, err := replica.Open(cfg)
	if err != nil {
		c.Fatal(err)
	}
	c.mu.Lock()
	n.engine = e
	c.mu.Unlock()
}

func (c *testCluster) stop(id core.NodeID) {
	n := c.nodes[id]
	c.mu.Lock()
	e := n.engine
	n.engine = nil
	c.mu.Unlock()
	if e != nil {
		e.Close()
	}
	if n.store != nil {
		n.store.Close()
		n.store = nil
	}
}

// leader waits for a node to lead a shard.
func (c *testCluster) leader(id core.ShardID) (core.NodeID, cluster.Shard) {
	c.Helper()
	var leader core.NodeID
	var shard cluster.Shard
	c.eventually(fmt.Sprintf("shard %d has a leader", id), func() bool {
		for n := range core.NodeID(len(c.nodes)) {
			e := c.engine(n + 1)
			if e == nil {
				continue
			}
			if s, ok := e.Lead(id); ok && s.ReadBarrier(c.Context()) == nil {
				leader, shard = n+1, s
				return true
			}
		}
		return false
	})
	return leader, shard
}

// eventually polls until ok.
func (c *testCluster) eventually(what string, ok func() bool) {
	c.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(2 * time.Minute)
	for !ok() {
		select {
		case <-tick.C:
		case <-deadline:
			c.Fatalf("not in time: %s", what)
		}
	}
}

func entity(i int) cluster.Entity { return cluster.Entity{Kind: "k", Identity: fmt.Sprint(i)} }

// fill commits entities to a shard until it has n, whichever node leads.
func (c *testCluster) fill(id core.ShardID, from, to int) {
	c.Helper()
	for i := from; i < to; i++ {
		commit := cluster.Commit{Entity: entity(i), State: make([]byte, 500), Outcomes: []cluster.Outcome{{Request: cluster.RequestID{byte(i), byte(i >> 8)}}}}
		c.eventually("a commit", func() bool {
			_, shard := c.leader(id)
			ctx, cancel := context.WithTimeout(c.Context(), time.Second)
			defer cancel()
			err := shard.Commit(ctx, commit)
			return err == nil || errors.Is(err, cluster.ErrRejected)
		})
	}
}

// has waits until a node has applied entity i.
func (c *testCluster) has(n core.NodeID, id core.ShardID, i int) {
	c.Helper()
	c.eventually(fmt.Sprintf("node %d has entity %d", n, i), func() bool {
		_, ok, err := c.nodes[n].store.Head(id, entity(i))
		if err != nil {
			c.Fatal(err)
		}
		return ok
	})
}

func TestCommitsReachAllNodes(t *testing.T) {
	c := newCluster(t, 3)
	c.fill(1, 0, 20)
	for n := range core.NodeID(3) {
		c.has(n+1, 1, 19)
	}
}

func TestNothingIsLostWithALeader(t *testing.T) {
	c := newCluster(t, 3)
	c.fill(1, 0, 20)
	leader, shard := c.leader(1)
	c.stop(leader)
	<-shard.Lost()
	if err := shard.Commit(t.Context(), cluster.Commit{Entity: entity(0)}); !errors.Is(err, cluster.ErrRefused) {
		t.Errorf("commit on a handle that is over: got %v, want ErrRefused", err)
	}
	for n := range core.NodeID(3) {
		if e := c.engine(n + 1); e != nil {
			e.ConnectionLost(leader)
		}
	}
	c.fill(1, 20, 40)
	next, shard := c.leader(1)
	if next == leader {
		t.Fatalf("node %d leads, but is stopped", next)
	}
	for i := range 40 {
		if _, ok, err := shard.Head(entity(i)); !ok || err != nil {
			t.Errorf("entity %d: %v %v", i, ok, err)
		}
	}
	c.start(leader)
	c.has(leader, 1, 39)
}

func TestANodeThatWasAwayGetsASnapshot(t *testing.T) {
	c := newCluster(t, 3)
	leader, _ := c.leader(1)
	away := leader%3 + 1
	c.stop(away)
	c.fill(1, 0, 1200) // far more than the log keeps
	c.start(away)
	c.has(away, 1, 1199)
	rs, err := c.nodes[away].store.Log().Replicas()
	if err != nil {
		t.Fatal(err)
	}
	if rs[1].Truncated.Index < 100 {
		t.Errorf("the log begins after %d: there was no snapshot", rs[1].Truncated.Index)
	}
	c.fill(1, 1200, 1210)
	c.has(away, 1, 1209)
}

func TestMembersChange(t *testing.T) {
	c := newCluster(t, 4)
	c.fill(1, 0, 50)
	leader, shard := c.leader(1)
	old, next := persistence.NewReplicaID(leader%3+1, 1), persistence.NewReplicaID(4, 1)
	if err := c.engine(4).Create(1, next); err != nil {
		t.Fatal(err)
	}
	change := func(types ...*pb.ConfChangeSingle) {
		c.eventually("a change of members", func() bool {
			s, err := c.engine(leader).Status(t.Context(), 1)
			return err == nil && s.Term == shard.Term() && c.engine(leader).ChangeMembers(t.Context(), s, types) == nil
		})
	}
	change(&pb.ConfChangeSingle{Type: pb.ConfChangeAddLearnerNode.Enum(), NodeId: new(uint64(next))})
	c.has(4, 1, 49)
	change(
		&pb.ConfChangeSingle{Type: pb.ConfChangeAddNode.Enum(), NodeId: new(uint64(next))},
		&pb.ConfChangeSingle{Type: pb.ConfChangeRemoveNode.Enum(), NodeId: new(uint64(old))},
	)
	c.eventually("the joint configuration is left", func() bool {
		s, err := c.engine(leader).Status(t.Context(), 1)
		return err == nil && len(s.Applied.Conf.GetVotersOutgoing()) == 0 && len(s.Applied.Conf.GetVoters()) == 3
	})
	c.fill(1, 50, 60)
	c.has(4, 1, 59)
	if err := c.engine(old.Node()).Remove(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	c.eventually("the lead is handed over", func() bool { // again where the machine stalls
		if err := c.engine(leader).Transfer(t.Context(), 1, next); err != nil {
			t.Fatal(err)
		}
		select {
		case <-shard.Lost():
			return true
		default:
			return false
		}
	})
	if n, _ := c.leader(1); n != 4 {
		t.Errorf("node %d leads, want 4", n)
	}
}

// A replica that its node removed comes back under the next id.
func TestPrepareNeverRepeatsAnID(t *testing.T) {
	c := newCluster(t, 4)
	e := c.engine(4)
	prepare := func() (id core.ReplicaID) {
		c.eventually("a replica is prepared", func() (ok bool) {
			var err error
			id, err = e.Prepare(t.Context(), 1)
			if err != nil && !errors.Is(err, replica.ErrEnding) {
				t.Fatal(err)
			}
			return err == nil
		})
		return id
	}
	if first, again := prepare(), prepare(); first != persistence.NewReplicaID(4, 1) || again != first {
		t.Errorf("got %v, then %v", first, again)
	}
	if err := e.Remove(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	if next := prepare(); next != persistence.NewReplicaID(4, 2) {
		t.Errorf("after it was removed: got %v, want 4/2", next)
	}
}
