package placement

import (
	"cmp"
	"slices"
	"sync/atomic"

	"ssod/cluster/meta"
	"ssod/cluster/placement/plan"
)

// The tables of the meta shard that belong to this package.
const (
	nodesTable  = "nodes"
	shardsTable = "shards"
)

// Book is what this node knows of the others and of where shards belong: the
// tables, and before it has them what it was told when it joined. It is safe for
// concurrent use.
type Book struct {
	pages atomic.Pointer[pages]
}

// pages are one version of the book.
type pages struct {
	nodes    map[NodeID]Node
	shards   plan.Map
	revision uint64 // of the table of nodes
	place    uint64 // of the table of shards
}

// NewBook returns a book of the nodes that are known already.
func NewBook(nodes ...Node) *Book {
	p := &pages{nodes: map[NodeID]Node{}}
	for _, n := range nodes {
		p.nodes[n.ID] = n
	}
	b := &Book{}
	b.pages.Store(p)
	return b
}

// read takes over what the tables say. Until there is a table of nodes what was
// known stands.
func (b *Book) read(tables *meta.Store) error {
	nodes, shards := tables.Read(nodesTable), tables.Read(shardsTable)
	p := &pages{nodes: b.pages.Load().nodes, revision: nodes.Revision(), place: shards.Revision()}
	if p.revision > 0 {
		p.nodes = map[NodeID]Node{}
	}
	for key, value := range nodes.All() {
		n, err := decodeNode(key, value)
		if err != nil {
			return err
		}
		p.nodes[n.ID] = n
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
	b.pages.Store(p)
	return nil
}

// Nodes are all nodes in order of id, those that were removed too.
func (b *Book) Nodes() []Node {
	all := make([]Node, 0, len(b.pages.Load().nodes))
	for _, n := range b.pages.Load().nodes {
		all = append(all, n)
	}
	slices.SortFunc(all, func(a, b Node) int { return cmp.Compare(a.ID, b.ID) })
	return all
}

// Node returns a node.
func (b *Book) Node(id NodeID) (Node, bool) {
	n, ok := b.pages.Load().nodes[id]
	return n, ok
}

// RPC is the actor address of a node; empty if it is not known.
func (b *Book) RPC(id NodeID) string { return b.pages.Load().nodes[id].RPC }

// At returns the node that has an actor address.
func (b *Book) At(rpc string) (Node, bool) {
	for _, n := range b.pages.Load().nodes {
		if n.RPC == rpc && n.State != NodeState_REMOVED {
			return n, true
		}
	}
	return Node{}, false
}

// Place is where a shard belongs; false if nobody has decided that yet.
func (b *Book) Place(shard int) (plan.Assignment, bool) {
	m := b.pages.Load().shards
	if shard >= len(m) || len(m[shard].Voters) == 0 {
		return plan.Assignment{}, false
	}
	return m[shard], true
}

// others are the members beside this one, in order of id.
func (b *Book) others(self NodeID) []Node {
	return slices.DeleteFunc(b.Nodes(), func(n Node) bool { return n.ID == self || n.State == NodeState_REMOVED })
}
