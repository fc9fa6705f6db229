package admin

import (
	"context"
	"fmt"
	"time"

	"ssod/cluster"
)

// clusterView is the answer of GET /admin/v1/cluster.
type clusterView struct {
	ID         string `json:"id"`
	Durability string `json:"durability"`
	SpareNodes int    `json:"spareNodes"` // that may be lost, whichever they are
	SpareZones *int   `json:"spareZones,omitempty"`
	Zones      []Zone `json:"zones,omitempty"`
	ConfigHash string `json:"configHash"`
	settingsView
	Nodes      []node      `json:"nodes"`
	Shards     []shard     `json:"shards"`
	Invariants []invariant `json:"invariants"`
}

type node struct {
	Name      string            `json:"name"`
	Self      bool              `json:"self"`
	State     State             `json:"state"`
	Version   string            `json:"version"`
	Zone      string            `json:"zone,omitempty"`
	FreeDisk  uint64            `json:"freeDiskBytes,omitempty"`
	Started   time.Time         `json:"started"`
	Addresses map[string]string `json:"addresses"`
	PublicTLS bool              `json:"publicTLS"`
	Drain     *Drain            `json:"drain,omitempty"`
}

type shard struct {
	Shard    cluster.ShardID `json:"shard"`
	Slots    []string        `json:"slots,omitempty"` // ranges of hash slots, both ends included
	Leader   string          `json:"leader"`
	Term     uint64          `json:"term"`
	Replicas []string        `json:"replicas"` // those that vote
	Learners []string        `json:"learners,omitempty"`
	// Confirmed: those that vote can do so without those that voted before.
	Confirmed bool   `json:"confirmed"`
	Applied   uint64 `json:"appliedIndex"` // on the node that was asked
	Lag       uint64 `json:"lag"`          // entries that the slowest replica is behind
}

type invariant struct {
	Name   string `json:"name"`
	OK     bool   `json:"ok"`
	Detail string `json:"detail,omitempty"`
}

// showCluster serves GET /admin/v1/cluster.
func showCluster(ctx context.Context, c *call) (any, error) {
	if _, err := c.query(); err != nil {
		return nil, err
	}
	s := c.server.status()
	settings, err := c.clusterSettings()
	if err != nil {
		return nil, err
	}
	view := clusterView{ID: s.Cluster, ConfigHash: c.Settings().Hash, settingsView: settings, Nodes: c.nodes(&s)}
	orphans, copies, slots := 0, 0, c.slots()
	for id := cluster.ShardID(0); int(id) <= c.Shards.Count(); id++ {
		one := c.shard(ctx, id, &s)
		one.Slots = slots[id]
		if one.Leader == "" {
			orphans++
		}
		if majority := len(one.Replicas)/2 + 1; copies == 0 || majority < copies {
			copies = majority
		}
		view.Shards = append(view.Shards, one)
	}
	view.Durability = durability(copies)
	if c.Members != nil {
		view.SpareNodes = c.Members.Spare()
		if zones, spare := c.Members.Zones(); len(zones) > 0 {
			view.Zones, view.SpareZones = zones, &spare
		}
	}
	view.Invariants = []invariant{{Name: "every shard has a leader", OK: orphans == 0}}
	for _, c := range s.Conditions {
		if c.Name == Configuration {
			view.Invariants = append(view.Invariants, invariant{"every node has the same configuration", c.OK, c.Detail})
		}
	}
	if orphans > 0 {
		view.Invariants[0].Detail = fmt.Sprintf("no leader is known of %d of %d", orphans, len(view.Shards))
	}
	return view, nil
}

// durability says how many copies every acknowledged change has at least.
func durability(copies int) string {
	if copies <= 1 {
		return "durability of one node"
	}
	return fmt.Sprintf("durability of %d nodes", copies)
}

// nodes are all nodes; about itself this node knows most.
func (c *call) nodes(s *Status) (all []node) {
	self := node{
		Name: s.Node, Self: true, State: s.State, Version: s.Version, Started: s.Started,
		Addresses: s.Addresses, PublicTLS: s.PublicTLS,
	}
	if c.Members == nil {
		return []node{self}
	}
	for _, m := range c.Members.Nodes() {
		if m.Self {
			self.Zone, self.FreeDisk, self.Drain = m.Zone, m.FreeDisk, m.Drain
			if m.State == Draining || m.State == Left { // it learns of that at the same time
				self.State = m.State
			}
			all = append(all, self)
		} else {
			all = append(all, node{Name: m.Name, State: m.State, Version: m.Version, Zone: m.Zone, FreeDisk: m.FreeDisk, Started: m.Started, Addresses: m.Addresses, Drain: m.Drain})
		}
	}
	return all
}

// slots are the ranges of hash slots of each shard.
func (c *call) slots() map[cluster.ShardID][]string {
	all := map[cluster.ShardID][]string{}
	if slots := c.Slots(); slots != nil {
		for _, r := range slots.Ranges() {
			all[r.Shard] = append(all[r.Shard], fmt.Sprintf("%d-%d", r.First, r.Last))
		}
	}
	return all
}

// shard is one shard. A node that is alone leads and holds all of them.
func (c *call) shard(ctx context.Context, id cluster.ShardID, s *Status) shard {
	if c.Members != nil {
		p := c.Members.Placement(ctx, id)
		return shard{Shard: id, Leader: p.Leader, Term: p.Term, Replicas: p.Voters, Learners: p.Learners, Confirmed: p.Confirmed, Applied: p.Applied, Lag: p.Lag}
	}
	one := shard{Shard: id, Replicas: []string{s.Node}, Confirmed: true}
	if owner, ok := c.Shards.Owner(id); ok {
		one.Leader, one.Term = s.Node, owner.Term
	}
	return one
}

// forNode is the handler of what is done with the node that the path names; alone is
// what a node says that has no others. Its answer is the node as it is then, where
// that goes on (202): GET cluster tells how far it is.
func forNode(alone error, goesOn bool, do func(m Members, ctx context.Context, name string) error) handler {
	return func(ctx context.Context, c *call) (any, error) {
		if c.Members == nil {
			return nil, alone
		}
		name := c.PathValue("name")
		if err := do(c.Members, ctx, name); err != nil {
			return nil, err
		}
		c.note("node", name)
		if goesOn {
			return accepted{c.nodeOf(name)}, nil
		}
		return nil, nil
	}
}

// initPath is what a node is asked that waits for a cluster to join.
const initPath = "cluster/init"

// initCluster serves POST /admin/v1/cluster/init.
func initCluster(ctx context.Context, c *call) (any, error) {
	if c.server.found == nil {
		return nil, errNotFound
	}
	return nil, c.server.found(ctx)
}

// nodeOf is the node of a name as it is now.
func (c *call) nodeOf(name string) (one node) {
	s := c.server.status()
	for _, n := range c.nodes(&s) {
		if n.Name == name {
			one = n
		}
	}
	return one
}
