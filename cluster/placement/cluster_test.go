package placement_test

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	pb "go.etcd.io/raft/v3/raftpb"
	"go.uber.org/goleak"

	"ssod/cluster"
	"ssod/cluster/placement"
	"ssod/cluster/replica"
	"ssod/cluster/replica/core"
	"ssod/persistence"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// testShards is the number of entity shards of a test cluster.
const testShards = 4

// testSilence is how long nobody may have heard a node before it is replaced.
const testSilence = 500 * time.Millisecond

// testDead is how long a node is not heard before its replicas are replaced.
const testDead = 500 * time.Millisecond

// testCluster is nodes in one process, with stores in memory and a network that
// delivers at once between those that run and are not cut off.
type testCluster struct {
	*testing.T
	mu    sync.Mutex
	nodes map[core.NodeID]*testNode
	cut   map[core.NodeID]bool
	// held nodes get no log and no snapshot of the slow shards; nil: of none. So
	// their replicas do not catch up.
	held map[core.NodeID]bool
	slow func(cluster.ShardID) bool
	// deaf nodes get the log of the slow shards and are not told how much of it is
	// committed.
	deaf map[core.NodeID]bool
	// silentFor is how long nobody may have heard a node before it is replaced; 0
	// means testSilence.
	silentFor time.Duration
	// lease is that of the nodes; 0 means testLease.
	lease time.Duration
	// founding are the settings of the cluster that nodes are started with; the zero
	// value means three replicas and testDead.
	founding placement.Settings
	// settings are those of nodes that join; the members have theirs.
	settings map[string]string
	clock    map[core.NodeID]time.Duration // how far a node's clock is ahead
	// unasked are nodes that are heard and whom no question reaches; unread are
	// those to whom no entry and no snapshot gets.
	unasked, unread map[core.NodeID]bool
	disks           map[core.NodeID]*testDisk
	// space is what is free on the disks of nodes that say so.
	space map[core.NodeID]uint64
	// quiet is how long a slow disk must be quick to be slow no more; 0 means
	// testSlow.
	quiet time.Duration
	// lost is when a node was stopped or cut off: until then it was heard.
	lost map[core.NodeID]time.Time
}

type testNode struct {
	c         *testCluster
	id        core.NodeID
	name      string
	store     *persistence.Store
	engine    *replica.Engine
	placement *placement.Placement
	applied   atomic.Pointer[placement.Placement]
	known     *placement.Registry
}

func (n *testNode) registry() *placement.Registry { return n.known }

var errDown = errors.New("the node is down")

// peer is a node that from reaches.
func (c *testCluster) peer(from, to core.NodeID) *testNode {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := c.nodes[to]
	if n == nil || n.placement == nil || c.cut[from] || c.cut[to] {
		return nil
	}
	return n
}

// testNetwork is one node's part of the network.
type testNetwork struct {
	c    *testCluster
	from core.NodeID
}

func (t testNetwork) Send(to core.NodeID, frame []byte) {
	if t.c.is(t.c.unread, to) {
		return
	}
	if n := t.c.peer(t.from, to); n != nil {
		if frame = t.c.sieve(to, frame); frame == nil {
			return
		}
		if err := n.engine.Deliver(t.from, frame); err != nil {
			t.c.Errorf("deliver: %v", err)
		}
	}
}

func (t testNetwork) Spare() []byte { return nil }

func (t testNetwork) SendSnapshot(to core.NodeID, s *cluster.Snapshot) error {
	n := t.c.peer(t.from, to)
	if n == nil || t.c.is(t.c.unread, to) {
		return errDown
	}
	file, frame, err := s.Make()
	if err != nil {
		return err
	}
	b, err := io.ReadAll(file)
	if err := errors.Join(err, file.Close()); err != nil {
		return err
	}
	if t.c.sieve(to, frame) == nil {
		return errDown
	}
	return n.engine.DeliverSnapshot(t.from, s.Name, bytes.NewReader(b), frame)
}

func (c *testCluster) setSlow(slow func(cluster.ShardID) bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.slow = slow
}

// sieve takes out of a frame what a node is kept from; nil: everything.
func (c *testCluster) sieve(to core.NodeID, frame []byte) []byte {
	c.mu.Lock()
	held, deaf, slow := c.held[to], c.deaf[to], c.slow
	c.mu.Unlock()
	if !held && !deaf || core.HasFences(frame) {
		return frame
	}
	all, err := core.DecodeFrame(frame)
	rest := slices.DeleteFunc(all, func(e core.Envelope) bool {
		kind := e.Message.GetType()
		return held && slow(e.Shard) && (kind == pb.MsgApp || kind == pb.MsgSnap)
	})
	for _, e := range rest {
		if kind := e.Message.GetType(); deaf && slow(e.Shard) && (kind == pb.MsgApp || kind == pb.MsgHeartbeat) {
			e.Message.Commit = new(uint64(0))
		}
	}
	if err == nil && len(rest) == 0 {
		return nil
	}
	if err == nil {
		frame, err = core.AppendFrame(nil, rest)
	}
	if err != nil {
		c.Errorf("sieve a frame: %v", err)
	}
	return frame
}

func (t testNetwork) Call(ctx context.Context, to core.NodeID, request []byte) ([]byte, error) {
	n := t.c.peer(t.from, to)
	if n == nil || t.c.is(t.c.unasked, to) {
		return nil, errDown
	}
	return n.applied.Load().Serve(ctx, t.from, request)
}

// LastHeard is now while the nodes reach each other, else when that ended; never,
// of one that has not been started.
func (t testNetwork) LastHeard(of core.NodeID) time.Time {
	if t.c.peer(t.from, of) != nil {
		return time.Now()
	}
	t.c.mu.Lock()
	defer t.c.mu.Unlock()
	mine, other := t.c.lost[t.from], t.c.lost[of]
	if t.c.nodes[of] != nil && (other.IsZero() || !mine.IsZero() && mine.Before(other)) {
		return mine
	}
	return other
}

func (t testNetwork) Offset(of core.NodeID) (time.Duration, bool) {
	known := t.c.peer(t.from, of) != nil
	t.c.mu.Lock()
	defer t.c.mu.Unlock()
	return t.c.clock[of] - t.c.clock[t.from], known
}

func newCluster(t *testing.T) *testCluster {
	c := &testCluster{
		T: t, nodes: map[core.NodeID]*testNode{}, cut: map[core.NodeID]bool{}, clock: map[core.NodeID]time.Duration{},
		held: map[core.NodeID]bool{}, deaf: map[core.NodeID]bool{}, lost: map[core.NodeID]time.Time{}, slow: func(cluster.ShardID) bool { return true },
		unasked: map[core.NodeID]bool{}, unread: map[core.NodeID]bool{}, disks: map[core.NodeID]*testDisk{}, space: map[core.NodeID]uint64{},
	}
	t.Cleanup(func() {
		for id := range c.nodes {
			c.stop(id)
		}
	})
	return c
}

func self(name string) placement.Node {
	return placement.Node{Name: name, RPC: name + ":rpc", Raft: name + ":raft"}
}

// found starts the first node.
func (c *testCluster) found(name string) core.NodeID {
	n := c.open(1, name)
	if err := replica.Found(n.store.Log(), 1, testShards); err != nil {
		c.Fatal(err)
	}
	me := self(name)
	me.ID = 1
	c.start(n, placement.NewRegistry(me))
	return 1
}

// join starts a node with an empty disk; it asks node at.
func (c *testCluster) join(name string, at core.NodeID) core.NodeID {
	c.Helper()
	var m placement.Membership
	applicant := newApplicant(name)
	c.eventually(name+" joins", func() bool {
		var err error
		m, err = c.ask(at, applicant)
		if err != nil && !errors.Is(err, placement.ErrTemporary) {
			c.Fatal(err)
		}
		return err == nil
	})
	n := c.open(m.ID, name)
	c.start(n, placement.NewRegistry(m.Nodes...))
	return m.ID
}

// newApplicant is a process that wants to join under a name.
func newApplicant(name string) placement.Applicant {
	token := make([]byte, 16)
	rand.Read(token)
	return placement.Applicant{Node: self(name), Token: token}
}

func (c *testCluster) ask(at core.NodeID, a placement.Applicant) (placement.Membership, error) {
	ask := func(ctx context.Context, request []byte) ([]byte, error) {
		return testNetwork{c, 0}.Call(ctx, at, request)
	}
	ctx, cancel := context.WithTimeout(c.Context(), 5*time.Second)
	defer cancel()
	a.Settings = c.settings
	if a.Clock.IsZero() {
		a.Clock = time.Now()
	}
	return placement.Join(ctx, ask, a)
}

// open opens the store of a node, which is empty.
func (c *testCluster) open(id core.NodeID, name string) *testNode {
	c.disks[id] = newTestDisk()
	store, err := persistence.Open(persistence.Options{
		Dir: "data", FS: c.disks[id].fs(), DefaultNode: name, Shards: testShards, Cluster: "tests", NodeID: persistence.NodeID(id),
		Logger: slog.New(slog.DiscardHandler), MemTableBytes: 1 << 20,
	})
	if err != nil {
		c.Fatal(err)
	}
	return &testNode{c: c, id: id, name: name, store: store}
}

// start starts a node on what its store has.
func (c *testCluster) start(n *testNode, registry *placement.Registry) {
	network := testNetwork{c, n.id}
	n.known = registry
	var err error
	n.engine, err = replica.Open(replica.Config{
		Node: n.id, Shards: testShards, Log: n.store.Log(), State: n.store, Transport: network, Address: registry.RPC,
		Tick: 20 * time.Millisecond, SlowDisk: testSlow, QuietDisk: cmp.Or(c.quiet, testSlow), HungDisk: time.Hour, Core: core.Config{LogKeep: 64 << 10, LogTail: 16 << 10},
		MetaApplied: func() {
			if p := n.applied.Load(); p != nil {
				p.Applied()
			}
		},
	})
	if err != nil {
		c.Fatal(err)
	}
	c.assignment(n, func(*placement.Config) {})
}

// place starts the placement of a node.
func (c *testCluster) assignment(n *testNode, change func(*placement.Config)) {
	network, registry := testNetwork{c, n.id}, n.known
	me, _ := registry.Node(n.id)
	cfg := placement.Config{
		Self: me, Cluster: "c1", Engine: n.engine, Registry: registry, Calls: network, LastHeard: network.LastHeard, Offset: network.Offset,
		Certificates: func(id placement.NodeID) [][]byte { return [][]byte{fmt.Append(nil, "certificate of ", id)} },
		Settings:     func() map[string]string { return map[string]string{"link codes of realm acme": "6 digits", "x": "1"} },
		Free:         c.free, Need: func() uint64 { return testNeed },
		Binding: func(table string) bool { return table == "revoked" }, Lease: cmp.Or(c.lease, testLease),
		Founding: cmp.Or(c.founding, placement.Settings{Replicas: 3, DeadAfter: testDead}),
		Pace:     20 * time.Millisecond, AliveWithin: 100 * time.Millisecond,
		SilentFor: cmp.Or(c.silentFor, testSilence), Patience: 500 * time.Millisecond,
		Finder: &placement.Finder{Engine: n.engine, Match: func(string, string, cluster.Head, []byte) bool { return true }},
		Log:    slog.New(slog.NewTextHandler(c.Output(), nil)),
	}
	change(&cfg)
	p, err := placement.Start(cfg)
	if err != nil {
		c.Fatal(err)
	}
	n.applied.Store(p)
	p.Applied()
	c.mu.Lock()
	n.placement = p
	c.nodes[n.id] = n
	delete(c.lost, n.id)
	c.mu.Unlock()
}

// stop ends a node for good: its store was in memory.
func (c *testCluster) stop(id core.NodeID) {
	c.mu.Lock()
	n := c.nodes[id]
	p := n.placement
	n.placement = nil
	c.lose(id)
	c.mu.Unlock()
	if p == nil {
		return
	}
	for _, end := range []func() error{p.Close, n.engine.Close, n.store.Close} {
		if err := end(); err != nil {
			c.Errorf("stop node %d: %v", id, err)
		}
	}
	for other := range c.nodes {
		if m := c.peer(id, other); m != nil {
			m.engine.ConnectionLost(id)
		}
	}
}

// lose cuts a node off. The caller holds c.mu.
func (c *testCluster) lose(id core.NodeID) {
	if c.lost[id].IsZero() {
		c.lost[id] = time.Now()
	}
}

// running are the nodes that were not stopped.
func (c *testCluster) running() (all []*testNode) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, n := range c.nodes {
		if n.placement != nil && !c.cut[n.id] {
			all = append(all, n)
		}
	}
	return all
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

// leader waits for a node to lead a shard.
func (c *testCluster) leader(id cluster.ShardID) (leader *testNode, shard cluster.Shard) {
	c.Helper()
	c.eventually(fmt.Sprintf("shard %d has a leader", id), func() bool {
		for _, n := range c.running() {
			ctx, cancel := context.WithTimeout(c.Context(), time.Second)
			defer cancel()
			if s, ok := n.engine.Lead(id); ok && s.ReadBarrier(ctx) == nil {
				leader, shard = n, s
				return true
			}
		}
		return false
	})
	return leader, shard
}

// members waits until the groups of all shards have so many voters and learners.
func (c *testCluster) members(voters, learners int) {
	c.Helper()
	for id := range cluster.ShardID(testShards + 1) {
		c.eventually(fmt.Sprintf("shard %d has %d voters and %d learners", id, voters, learners), func() bool {
			n, _ := c.leader(id)
			st, err := n.engine.Status(c.Context(), id)
			conf := st.Applied.Conf
			return err == nil && len(conf.GetVoters()) == voters && len(conf.GetLearners()) == learners && len(conf.GetVotersOutgoing()) == 0
		})
	}
}

func entity(i int) cluster.Entity { return cluster.Entity{Kind: "k", Identity: fmt.Sprint(i)} }

// fill commits entities to every shard.
func (c *testCluster) fill(from, to int) {
	c.Helper()
	for id := range cluster.ShardID(testShards) {
		for i := from; i < to; i++ {
			commit := cluster.Commit{Entity: entity(i), State: make([]byte, 100), Outcomes: []cluster.Outcome{{Request: cluster.RequestID{byte(i), byte(i >> 8), 1}}}}
			c.eventually("a commit", func() bool {
				_, shard := c.leader(id + 1)
				ctx, cancel := context.WithTimeout(c.Context(), time.Second)
				defer cancel()
				err := shard.Commit(ctx, commit)
				return err == nil || errors.Is(err, cluster.ErrRejected)
			})
		}
	}
}

// holds checks that the leaders have all entities.
func (c *testCluster) holds(count int) {
	c.Helper()
	for id := range cluster.ShardID(testShards) {
		_, shard := c.leader(id + 1)
		for i := range count {
			if _, ok, err := shard.Head(entity(i)); !ok || err != nil {
				c.Errorf("shard %d: entity %d: got %v, %v", id+1, i, ok, err)
			}
		}
	}
}
