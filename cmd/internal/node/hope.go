package node

import (
	"slices"
	"time"

	"ssod/cluster"
	"ssod/cluster/placement"
)

// earshot is for how long a node that says nothing still counts as heard. Each
// is asked for its clock twice a second; disks and schedulers stall for less.
const earshot = 1200 * time.Millisecond

// hopeless reports whether no owner of a shard can be reached from here.
func (n *Node) hopeless(shard cluster.ShardID) bool {
	if n.book == nil {
		return false // nobody else is there
	}
	place, known := n.book.Place(int(shard))
	return known && !hope(place.Voters, n.me.ID, n.hears)
}

// hope reports whether a node hears a majority of the voters, itself included. A
// node that is not one of them has hope as long as it hears any: they may hear
// each other.
func hope(voters []placement.NodeID, me placement.NodeID, hears func(placement.NodeID) bool) bool {
	heard := 0
	for _, id := range voters {
		if id == me || hears(id) {
			heard++
		}
	}
	if slices.Contains(voters, me) {
		return heard > len(voters)/2
	}
	return heard > 0
}

// hears reports whether another node hears this one and is heard, as far as is
// known.
func (n *Node) hears(id placement.NodeID) bool {
	return n.network.Connected(id) && time.Since(n.network.LastHeard(id)) < earshot
}
