package node

import (
	"slices"
	"time"

	"ssod/cluster"
	"ssod/cluster/placement"
	"ssod/cluster/plan"
)

// silence is how long a node may be silent and still count as heard. Each is asked for
// its clock twice a second; disks and schedulers stall for less.
const silence = 1200 * time.Millisecond

// noQuorum reports whether no owner of a shard can be reached from here.
func (n *Node) noQuorum(shard cluster.ShardID) bool {
	if n.nodes == nil {
		return false // there is no other node
	}
	c := n.nodes.Group(int(shard))
	return c.Known() && !quorum(c, n.me.ID, n.hears)
}

// quorum reports whether a leader of the group can exist and be reached from a node: by
// the voters in force, on both sides of a joint change, or by those that may have come
// into force since. The replicas that the map wants do not count: they may have no vote
// yet, and others still have theirs.
func quorum(c plan.Config, me placement.NodeID, hears func(placement.NodeID) bool) bool {
	reached := func(voters []plan.ReplicaID) bool { return reaches(voters, me, hears) }
	return reached(c.Voters) && (len(c.Outgoing) == 0 || reached(c.Outgoing)) || slices.ContainsFunc(c.Next, reached)
}

// reaches reports whether a voter hears a majority of the voters, itself included, or
// another node any of them: these may hear each other.
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

// hears reports whether another node and this one hear each other, as far as is known.
func (n *Node) hears(id placement.NodeID) bool {
	return n.network.Connected(id) && time.Since(n.network.LastHeard(id)) < silence
}
