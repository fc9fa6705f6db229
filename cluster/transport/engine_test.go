package transport_test

import (
	"errors"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	pb "go.etcd.io/raft/v3/raftpb"

	"ssod/cluster"
	"ssod/cluster/replica"
	"ssod/cluster/replica/core"
	"ssod/cluster/transport"
	"ssod/cluster/transport/transporttest"
	"ssod/persistence"
)

var (
	_ replica.Transport = (*transport.Network)(nil)
	_ transport.Engine  = (*replica.Engine)(nil)
)

// engineNode is a node with an engine and a store in memory.
type engineNode struct {
	*transport.Network
	fs     *vfs.MemFS
	store  *persistence.Store
	engine *replica.Engine
}

// engineTrio starts three engines that replicate shard 1 over TLS.
func engineTrio(t *testing.T, authority *transporttest.Authority, tick time.Duration) map[nodeID]*engineNode {
	t.Helper()
	nodes := map[nodeID]*engineNode{}
	for id := nodeID(1); id <= 3; id++ {
		n := &engineNode{fs: vfs.NewMem()}
		n.openStore(t, id)
		conf := &pb.ConfState{}
		for other := nodeID(1); other <= 3; other++ {
			conf.Voters = append(conf.Voters, uint64(persistence.NewReplicaID(other, 1)))
		}
		if _, err := n.store.Log().Create(1, persistence.NewReplicaID(id, 1), conf); err != nil {
			t.Fatal(err)
		}
		n.open(t, id, tick, secured(t, authority))
		nodes[id] = n
		t.Cleanup(n.stop)
	}
	for _, n := range nodes {
		for id, other := range nodes {
			n.mustKnow(t, id, other)
		}
		n.Start(n.engine)
	}
	return nodes
}

func (n *engineNode) openStore(t *testing.T, id nodeID) {
	t.Helper()
	var err error
	n.store, err = persistence.Open(persistence.Options{
		Dir: "data", FS: n.fs, DefaultNode: fmt.Sprint("n", id), Shards: 1, Cluster: "tests", NodeID: persistence.NodeID(id),
		Logger: slog.New(slog.DiscardHandler), MemTableBytes: 1 << 20,
	})
	if err != nil {
		t.Fatal(err)
	}
}

// open opens network and engine on the store, without starting to talk.
func (n *engineNode) open(t *testing.T, id nodeID, tick time.Duration, options ...option) {
	t.Helper()
	n.Network = open(t, id, options...).Network
	var err error
	n.engine, err = replica.Open(replica.Config{
		Node: id, Shards: 1, Log: n.store.Log(), State: n.store, Transport: n, Tick: tick,
		Address: func(n nodeID) string { return fmt.Sprint("n", n) },
		Core:    core.Config{LogKeep: 64 << 10, LogTail: 16 << 10},
	})
	if err != nil {
		t.Fatal(err)
	}
}

func (n *engineNode) mustKnow(t *testing.T, id nodeID, other *engineNode) {
	t.Helper()
	if err := n.SetPeer(transport.Peer{ID: id, Name: fmt.Sprint("n", id), Addr: other.Addr()}); err != nil {
		t.Fatal(err)
	}
}

func (n *engineNode) stop() {
	if n.store != nil {
		n.Close()
		n.engine.Close()
		n.store.Close()
		n.store = nil
	}
}

// leader waits for one of the nodes to lead shard 1.
func leader(t *testing.T, nodes map[nodeID]*engineNode) (id nodeID, shard cluster.Shard) {
	t.Helper()
	eventually(t, "a leader", func() bool {
		for n, e := range nodes {
			if e.store == nil {
				continue
			}
			if s, ok := e.engine.Lead(1); ok && s.ReadBarrier(t.Context()) == nil {
				id, shard = n, s
				return true
			}
		}
		return false
	})
	return id, shard
}

// fill commits so many entities, whoever leads.
func fill(t *testing.T, nodes map[nodeID]*engineNode, from, to int) {
	t.Helper()
	_, shard := leader(t, nodes)
	for i := from; i < to; i++ {
		c := cluster.Commit{Entity: testEntity(i), State: make([]byte, 500)}
		for err := shard.Commit(t.Context(), c); err != nil && !errors.Is(err, cluster.ErrRejected); err = shard.Commit(t.Context(), c) {
			_, shard = leader(t, nodes)
		}
	}
}

func testEntity(i int) cluster.Entity { return cluster.Entity{Kind: "k", Identity: fmt.Sprint(i)} }

// TestAnEngineCatchesUpByASnapshot that goes over a connection of its own into
// the store of a node that was away too long.
func TestAnEngineCatchesUpByASnapshot(t *testing.T) {
	authority := newAuthority(t)
	nodes := engineTrio(t, authority, 20*time.Millisecond)
	fill(t, nodes, 0, 10)
	first, _ := leader(t, nodes)
	away := first%3 + 1
	n := nodes[away]
	n.stop()
	fill(t, nodes, 10, 600) // far more than the log keeps
	for id, other := range nodes {
		if id != away { // what the state on disk lacks is kept
			status, err := other.engine.Status(t.Context(), 1)
			if err == nil {
				err = other.engine.Truncate(t.Context(), 1, status.Applied.Index)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	n.openStore(t, away)
	n.open(t, away, 20*time.Millisecond, secured(t, authority))
	t.Cleanup(n.stop)
	for id, other := range nodes {
		if id != away {
			n.mustKnow(t, id, other)
			other.mustKnow(t, away, n)
		}
	}
	n.Start(n.engine)
	eventually(t, "the last entity", func() bool {
		_, ok, err := n.store.Head(1, testEntity(599))
		return ok && err == nil
	})
	rs, err := n.store.Log().Replicas()
	if err != nil || len(rs) != 1 || rs[0].Truncated.Index < 100 {
		t.Errorf("there was no snapshot: %+v, %v", rs, err)
	}
}

// TestALeaderThatIsGoneIsReplacedAtOnce, long before an election timeout: its
// connections say that it is gone. Where the machine stalls it is tried again.
func TestALeaderThatIsGoneIsReplacedAtOnce(t *testing.T) {
	const tick, tries = 100 * time.Millisecond, 10 // an election timeout is 1 s at least
	for range tries {
		took := replaced(t, tick)
		if took <= 9*tick {
			return
		}
		t.Logf("it took %v", took)
	}
	t.Errorf("not once of %d times within %v, as if nobody had noticed", tries, 9*tick)
}

// replaced stops a leader and returns how long it took until there was another.
func replaced(t *testing.T, tick time.Duration) time.Duration {
	t.Helper()
	nodes := engineTrio(t, newAuthority(t), tick)
	defer func() {
		for _, n := range nodes {
			n.stop()
		}
	}()
	fill(t, nodes, 0, 1)
	old, _ := leader(t, nodes)
	begin := time.Now()
	nodes[old].stop()
	if next, _ := leader(t, nodes); next == old {
		t.Fatalf("node %d leads, but is stopped", next)
	}
	return time.Since(begin)
}
