package placement

import (
	"cmp"
	"slices"
	"strings"
	"sync/atomic"

	"ssod/cluster/meta"
	"ssod/cluster/plan"
	"ssod/cluster/replica/core"
)

// The tables of the meta shard that belong to this package. Beside the nodes are
// the groups as their leaders confirm them: with one revision for both, who
// decides on a node and who changes a group exclude each other.
const (
	nodesTable  = "nodes"
	shardsTable = "shards"
)

// Registry is what this node knows of the others and of where shards belong: the
// tables, and before it has them what it was told when it joined. It is safe for
// concurrent use.
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

// NewRegistry returns a registry of the nodes that are known already.
func NewRegistry(nodes ...Node) *Registry {
	p := &contents{nodes: map[NodeID]Node{}, settings: DefaultSettings()}
	for _, n := range nodes {
		p.nodes[n.ID] = n
	}
	b := &Registry{}
	b.contents.Store(p)
	return b
}

// read takes over what the tables say. Until there is a table of nodes what was
// known stands.
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

// enter takes a record of the table of nodes over.
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

// all are the groups of the meta shard and of so many others.
func (p *contents) all(shards int) []plan.Config {
	groups := make([]plan.Config, shards+1)
	copy(groups, p.groups)
	return groups
}

// removed reports whether a node was removed.
func (p *contents) removed(n NodeID) bool { return p.nodes[n].State == NodeState_REMOVED }

// bearer is the member that has a name.
func (p *contents) bearer(name string) (Node, bool) {
	for _, n := range p.nodes {
		if n.Name == name && n.State != NodeState_REMOVED {
			return n, true
		}
	}
	return Node{}, false
}

// Nodes are all nodes in order of id, those that were removed too.
func (b *Registry) Nodes() []Node {
	all := make([]Node, 0, len(b.contents.Load().nodes))
	for _, n := range b.contents.Load().nodes {
		all = append(all, n)
	}
	slices.SortFunc(all, func(a, b Node) int { return cmp.Compare(a.ID, b.ID) })
	return all
}

// Settings are those of the cluster; before the table is here, the defaults.
func (b *Registry) Settings() Settings { return b.contents.Load().settings }

// Node returns a node.
func (b *Registry) Node(id NodeID) (Node, bool) {
	n, ok := b.contents.Load().nodes[id]
	return n, ok
}

// RPC is the actor address of a node; empty if it is not known.
func (b *Registry) RPC(id NodeID) string { return b.contents.Load().nodes[id].RPC }

// At returns the node that has an actor address.
func (b *Registry) At(rpc string) (Node, bool) {
	for _, n := range b.contents.Load().nodes {
		if n.RPC == rpc && n.State != NodeState_REMOVED {
			return n, true
		}
	}
	return Node{}, false
}

// Place is where a shard belongs; false if nobody has decided that yet.
func (b *Registry) Assignment(shard int) (plan.Assignment, bool) {
	return b.contents.Load().assignment(shard)
}

// place is where a shard belongs; false if nobody has decided that yet.
func (p *contents) assignment(shard int) (plan.Assignment, bool) {
	m := p.shards
	if shard >= len(m) || len(m[shard].Voters) == 0 {
		return plan.Assignment{}, false
	}
	return m[shard], true
}

// Group is who votes in a shard, as its leader has confirmed it.
func (b *Registry) Group(shard int) plan.Config { return b.contents.Load().group(shard) }

// Confirms reports whether the leader of a shard has written down the voters that a
// replica of it has in force, and no others that may come.
func (b *Registry) Confirms(st core.Status) bool {
	known := b.Group(int(st.Shard))
	return len(known.Next) == 0 && known.SameVoters(configOf(st))
}

// Others are the members that the tables of a cluster have beside one, in order of
// id.
func Others(tables *meta.Store, self NodeID) ([]Node, error) {
	b := NewRegistry()
	if err := b.read(tables); err != nil {
		return nil, err
	}
	return b.others(self), nil
}

// others are the members beside this one, in order of id.
func (b *Registry) others(self NodeID) []Node {
	return slices.DeleteFunc(b.Nodes(), func(n Node) bool { return n.ID == self || n.State == NodeState_REMOVED })
}
