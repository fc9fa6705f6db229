package placement

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"sync/atomic"

	"ssod/cluster/meta"
	"ssod/cluster/plan"
	"ssod/cluster/replica/core"
)

// The tables of the meta shard that belong to this package. The table of nodes also has
// the groups as their leaders confirm them: with one revision for both, decisions about
// nodes and changes of groups exclude each other.
const (
	nodesTable  = "nodes"
	shardsTable = "shards"
)

// Registry is what this node knows of the others and of the assignment of shards: the
// tables, and before it has them what it learned when it joined. It is safe for concurrent
// use.
type Registry struct {
	contents atomic.Pointer[contents]
}

// contents are one version of the registry.
type contents struct {
	nodes    map[NodeID]Node
	shards   plan.Map
	groups   []plan.Config // by shard, as far as they are confirmed
	settings Settings
	revision uint64 // of the table of nodes
	mapped   uint64 // of the table of shards
}

// NewRegistry returns a registry of nodes that are known already.
func NewRegistry(nodes ...Node) *Registry {
	p := &contents{nodes: map[NodeID]Node{}, settings: DefaultSettings()}
	for _, n := range nodes {
		p.nodes[n.ID] = n
	}
	b := &Registry{}
	b.contents.Store(p)
	return b
}

// read takes over the tables. Until there is a table of nodes it keeps those it has.
func (b *Registry) read(tables *meta.Store) error {
	nodes, shards := tables.Read(nodesTable), tables.Read(shardsTable)
	p := &contents{nodes: b.contents.Load().nodes, revision: nodes.Revision(), mapped: shards.Revision()}
	if p.revision > 0 {
		p.nodes = map[NodeID]Node{}
	}
	var err error
	if p.settings, err = SettingsOf(tables); err != nil {
		return err
	}
	for key, value := range nodes.All() {
		if err := p.enter(key, value); err != nil {
			return err
		}
	}
	for key, value := range shards.All() {
		shard, a, err := decodeAssignment(key, value)
		if err != nil {
			return err
		}
		for len(p.shards) <= shard {
			p.shards = append(p.shards, plan.Assignment{})
		}
		p.shards[shard] = a
	}
	b.contents.Store(p)
	return nil
}

// enter takes over a record of the table of nodes.
func (p *contents) enter(key string, value []byte) error {
	if strings.HasPrefix(key, groupPrefix) {
		shard, c, err := decodeGroup(key, value)
		if err != nil {
			return err
		}
		for len(p.groups) <= shard {
			p.groups = append(p.groups, plan.Config{})
		}
		p.groups[shard] = c
		return nil
	}
	n, err := decodeNode(key, value)
	if err == nil {
		p.nodes[n.ID] = n
	}
	return err
}

// group is a shard's group as its leader has confirmed it.
func (p *contents) group(shard int) plan.Config {
	if shard >= len(p.groups) {
		return plan.Config{}
	}
	return p.groups[shard]
}

// all are the groups of the meta shard and of the others.
func (p *contents) all(shards int) []plan.Config {
	groups := make([]plan.Config, shards+1)
	copy(groups, p.groups)
	return groups
}

func (p *contents) removed(n NodeID) bool { return p.nodes[n].State == NodeState_REMOVED }

// bearer is the member with a name.
func (p *contents) bearer(name string) (Node, bool) {
	for _, n := range p.nodes {
		if n.Name == name && n.State != NodeState_REMOVED {
			return n, true
		}
	}
	return Node{}, false
}

// Nodes are all nodes, including removed ones, in order of id.
func (b *Registry) Nodes() []Node {
	return slices.SortedFunc(maps.Values(b.contents.Load().nodes), func(a, b Node) int { return cmp.Compare(a.ID, b.ID) })
}

// Settings are those of the cluster; before the table is here, the defaults.
func (b *Registry) Settings() Settings { return b.contents.Load().settings }

// Node returns a node.
func (b *Registry) Node(id NodeID) (Node, bool) {
	n, ok := b.contents.Load().nodes[id]
	return n, ok
}

// RPC is the actor address of a node; empty if unknown.
func (b *Registry) RPC(id NodeID) string { return b.contents.Load().nodes[id].RPC }

// At returns the member with an actor address.
func (b *Registry) At(rpc string) (Node, bool) {
	for _, n := range b.contents.Load().nodes {
		if n.RPC == rpc && n.State != NodeState_REMOVED {
			return n, true
		}
	}
	return Node{}, false
}

// Assignment is that of a shard; false if there is none yet.
func (b *Registry) Assignment(shard int) (plan.Assignment, bool) {
	return b.contents.Load().assignment(shard)
}

func (p *contents) assignment(shard int) (plan.Assignment, bool) {
	m := p.shards
	if shard >= len(m) || len(m[shard].Voters) == 0 {
		return plan.Assignment{}, false
	}
	return m[shard], true
}

// Group is a shard's group as its leader has confirmed it.
func (b *Registry) Group(shard int) plan.Config { return b.contents.Load().group(shard) }

// Confirms reports whether the confirmed voters of a shard are those that a replica of it
// has in force, and no others are announced.
func (b *Registry) Confirms(st core.Status) bool {
	known := b.Group(int(st.Shard))
	return len(known.Next) == 0 && known.SameVoters(configOf(st))
}

// Others are the members in the tables of a cluster except one, in order of id.
func Others(tables *meta.Store, self NodeID) ([]Node, error) {
	b := NewRegistry()
	if err := b.read(tables); err != nil {
		return nil, err
	}
	return b.others(self), nil
}

// others are the members except one, in order of id.
func (b *Registry) others(self NodeID) []Node {
	return slices.DeleteFunc(b.Nodes(), func(n Node) bool { return n.ID == self || n.State == NodeState_REMOVED })
}
