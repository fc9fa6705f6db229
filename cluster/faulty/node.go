package faulty

import "ssod/cluster"

// Node is one node's view of the truth. It implements [cluster.Shards].
type Node struct {
	truth   *Truth
	address string
	// Guarded by truth.mu.
	handles  []*handle // by shard; nil: does not lead, as far as it knows
	watchers map[int]func(cluster.ShardID)
	nextID   int
}

// Address is the node's address.
func (n *Node) Address() string { return n.address }

// Count implements [cluster.Shards].
func (n *Node) Count() int { return len(n.truth.shards) - 1 }

// Slots says which shard a hash slot belongs to.
func (n *Node) Slots() *cluster.Slots { return n.truth.slots }

// Slots says which shard a hash slot belongs to in a cluster that was just founded.
func Slots(of cluster.Shards) func() *cluster.Slots {
	slots := cluster.DivideSlots(of.Count())
	return func() *cluster.Slots { return slots }
}

// Owner implements [cluster.Shards]. A node that was usurped names itself.
func (n *Node) Owner(id cluster.ShardID) (cluster.Owner, bool) {
	n.truth.mu.Lock()
	defer n.truth.mu.Unlock()
	if int(id) >= len(n.handles) {
		return cluster.Owner{}, false
	}
	if h := n.handles[id]; h != nil {
		return cluster.Owner{Address: n.address, Term: h.term}, true
	}
	s := n.truth.shards[id]
	if s.leader == nil {
		return cluster.Owner{}, false
	}
	return cluster.Owner{Address: s.leader.address, Term: s.term}, true
}

// Lead implements [cluster.Shards].
func (n *Node) Lead(id cluster.ShardID) (cluster.Shard, bool) {
	n.truth.mu.Lock()
	defer n.truth.mu.Unlock()
	if int(id) >= len(n.handles) || n.handles[id] == nil {
		return nil, false
	}
	return n.handles[id], true
}

// Watch implements [cluster.Shards].
func (n *Node) Watch(f func(cluster.ShardID)) (stop func()) {
	n.truth.mu.Lock()
	defer n.truth.mu.Unlock()
	id := n.nextID
	n.nextID++
	n.watchers[id] = f
	return func() {
		n.truth.mu.Lock()
		defer n.truth.mu.Unlock()
		delete(n.watchers, id)
	}
}
