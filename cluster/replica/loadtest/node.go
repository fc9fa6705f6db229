package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime/debug"
	"sync/atomic"
	"time"

	pb "go.etcd.io/raft/v3/raftpb"

	"ssod/cluster"
	"ssod/cluster/replica"
	"ssod/cluster/replica/core"
	"ssod/cluster/replica/loadtest/floor"
	"ssod/cluster/secret"
	"ssod/cluster/transport"
	"ssod/persistence"
)

// node is one of the processes.
type node struct {
	setup
	fs      *slowFS
	store   *persistence.Store
	network *transport.Network
	engine  *replica.Engine
	floor   *floor.Node // instead of the three above

	commits, reads histogram
	failed         atomic.Int64
	founded        atomic.Int64
	elections      atomic.Int64
	traffic        traffic
	orders         int
}

// gcPercent is what ssod sets as long as its heap is small.
const gcPercent = 300

// runNode is a node's process: orders come in, reports go out.
func runNode(in io.Reader, out io.Writer) error {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	orders, reports := json.NewDecoder(in), json.NewEncoder(out)
	n := &node{fs: newSlowFS()}
	defer n.close()
	if err := orders.Decode(&n.setup); err != nil {
		return err
	}
	if err := n.open(); err != nil {
		return reports.Encode(report{Error: err.Error()})
	}
	if err := reports.Encode(report{Peer: n.peer()}); err != nil {
		return err
	}
	for {
		var o order
		if err := orders.Decode(&o); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		r, err := n.obey(o)
		if err != nil {
			r.Error = err.Error()
		}
		if err := reports.Encode(r); err != nil {
			return err
		}
	}
}

func (n *node) peer() transport.Peer {
	p := transport.Peer{ID: n.Node, Name: nodeName(n.Node)}
	if n.floor != nil {
		p.Addr = n.floor.Addr()
	} else {
		p.Addr = n.network.Addr()
	}
	return p
}

func nodeName(id transport.NodeID) string { return fmt.Sprint("n", id) }

// open opens the store, founds the replicas, listens and runs the engine.
func (n *node) open() (err error) {
	if n.Floor {
		return n.openFloor()
	}
	logger := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError})).With("node", n.Node)
	n.store, err = persistence.Open(persistence.Options{
		Dir: filepath.Join(n.Dir, nodeName(n.Node)), DefaultNode: nodeName(n.Node), Cluster: "loadtest", NodeID: persistence.NodeID(n.Node),
		Shards: n.Shards, FS: n.fs, Logger: logger,
	})
	if err != nil {
		return err
	}
	if err := n.found(); err != nil {
		return err
	}
	boots, err := n.store.Boot(rand.Uint64())
	if err != nil {
		return err
	}
	secrets, err := secret.NewRing(secret.Key{}) // strangers are no part of it
	if err != nil {
		return err
	}
	cfg := transport.Config{
		Cluster: "loadtest", Secrets: secrets, Node: transport.Peer{ID: n.Node, Name: nodeName(n.Node)},
		Boots: boots, Durable: n.store.Durable, Note: n.store.NotePeer,
		Listen: "127.0.0.1:0", Log: logger,
	}
	if n.Files.Cert != "" {
		if cfg.Credentials, err = transport.LoadCredentials(n.Files, cfg.Node.Name); err != nil {
			return err
		}
	}
	if n.network, err = transport.Open(cfg); err != nil {
		return err
	}
	n.engine, err = replica.Open(replica.Config{
		Node: n.Node, Shards: n.Shards, Log: n.traffic.log(n.store.Log()), State: n.store,
		Transport: n.traffic.network(n.network), Address: nodeName,
	})
	if err == nil {
		n.engine.Watch(func(cluster.ShardID) { n.elections.Add(1) })
	}
	return err
}

// found makes a replica of every shard, with all nodes as voters.
func (n *node) found() error {
	conf := &pb.ConfState{}
	for id := range core.NodeID(nodes) {
		conf.Voters = append(conf.Voters, uint64(persistence.NewReplicaID(id+1, 1)))
	}
	log := n.store.Log()
	for s := range core.ShardID(n.Shards + 1) {
		if _, err := log.Create(s, persistence.NewReplicaID(n.Node, 1), conf); err != nil {
			return err
		}
	}
	return nil
}

// close ends what runs: an opening that failed has left some of it out.
func (n *node) close() {
	if n.floor != nil {
		n.floor.Close()
	}
	if n.network != nil {
		n.network.Close()
	}
	if n.engine != nil {
		n.engine.Close()
	}
	if n.store != nil {
		n.store.Close()
	}
}

func (n *node) obey(o order) (report, error) {
	if len(o.Peers) > 0 {
		return report{}, n.join(o.Peers)
	}
	n.fs.delay.Store(int64(o.Slow))
	r, err := n.measure(o)
	return report{result: r}, err
}

// join connects to the other nodes and sees to it that each leads its shards.
func (n *node) join(peers []transport.Peer) error {
	if n.floor != nil {
		return n.floor.Connect(others(peers, n.Node)...)
	}
	for _, p := range peers {
		if err := n.network.SetPeer(p); err != nil {
			return err
		}
	}
	n.network.Start(n.engine)
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(time.Minute)
	for !n.balance() {
		select {
		case <-tick.C:
		case <-deadline:
			return fmt.Errorf("no leaders within a minute: %+v", n.network.Peers())
		}
	}
	return nil
}

// home is the node that should lead a shard.
func home(s cluster.ShardID) core.NodeID { return core.NodeID(1 + s%nodes) }

// balance hands over what other nodes should lead. It reports whether every
// shard is where it should be.
func (n *node) balance() bool {
	all := true
	for s := range cluster.ShardID(n.Shards + 1) {
		owner, ok := n.engine.Owner(s)
		if ok && owner.Address == nodeName(home(s)) {
			if _, leads := n.engine.Lead(s); leads || home(s) != n.Node {
				continue
			}
		}
		all = false
		if _, leads := n.engine.Lead(s); leads && home(s) != n.Node {
			_ = n.engine.Transfer(context.Background(), s, persistence.NewReplicaID(home(s), 1))
		}
	}
	return all
}
