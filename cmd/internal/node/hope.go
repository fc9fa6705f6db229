package node

import (
	"slices"
	"time"

	"ssod/cluster"
	"ssod/cluster/placement"
	"ssod/cluster/plan"
)

// earshot is for how long a node that says nothing still counts as heard. Each
// is asked for its clock twice a second; disks and schedulers stall for less.
const earshot = 1200 * time.Millisecond

// hopeless reports whether no owner of a shard can be reached from here.
func (n *Node) hopeless(shard cluster.ShardID) bool {
	if n.nodes == nil {
		return false // nobody else is there
	}
	c := n.nodes.Group(int(shard))
	return c.Known() && !hope(c, n.me.ID, n.hears)
}

// hope reports whether somebody may lead a group and be reached from a node: by the
// voters in force, on both sides of a joint change, or by those that may have come
// into force since. Where the map wants replicas does not count: they may have no vote
// yet, and others still have theirs.
func hope(c plan.Config, me placement.NodeID, hears func(placement.NodeID) bool) bool {
	reached := func(voters []plan.ReplicaID) bool { return reaches(voters, me, hears) }
	return reached(c.Voters) && (len(c.Outgoing) == 0 || reached(c.Outgoing)) || slices.ContainsFunc(c.Next, reached)
}

// reaches reports whether a node hears a majority of the voters, itself included. One
// that is not one of them may reach them as long as it hears any: they may hear
// each other.
func reaches(voters []plan.ReplicaID, me placement.NodeID, hears func(placement.NodeID) bool) bool {
	heard, votes := 0, false
	for _, r := range voters {
		if r.Node() == me || hears(r.Node()) {
			heard++
		}
		votes = votes || r.Node() == me
	}
	if votes {
		return heard > len(voters)/2
	}
	return heard > 0
}

// hears reports whether another node hears this one and is heard, as far as is
// known.
func (n *Node) hears(id placement.NodeID) bool {
	return n.network.Connected(id) && time.Since(n.network.LastHeard(id)) < earshot
}
