package plan

import (
	"slices"

	"ssod/persistence"
)

// ReplicaID names one replica of a shard.
type ReplicaID = persistence.ReplicaID

// Group is what the leader of a shard knows of its group.
type Group struct {
	// Self is the leader.
	Self ReplicaID
	// Voters and Learners are the members. Joint: a change of them is under way.
	Voters, Learners []ReplicaID
	Joint            bool
	// Behind is how many bytes of log each member is known to lack of what the leader has
	// applied. One that is not in it lacks everything.
	Behind map[ReplicaID]int
	// Alive reports whether a node is believed to be alive.
	Alive func(NodeID) bool
	// Willing reports whether a node accepts leads. nil: all do.
	Willing func(NodeID) bool
	// CanLead reports whether a voter could take the lead at once; one that has just got
	// its vote may not know that. nil: all could.
	CanLead func(ReplicaID) bool
	// Known is the replica of each node that was asked for it. A member with an earlier
	// id is obsolete: the node has removed it. One with a later id was added by another
	// leader since.
	Known map[NodeID]ReplicaID
}

// slack is how many bytes a replica may be behind and still count as caught up: two of the
// longest entries, as many as are in flight.
const slack = 2 << 20

func (g *Group) caughtUp(r ReplicaID) bool {
	behind, known := g.Behind[r]
	return r == g.Self || known && behind <= slack
}

// live reports whether a replica's node is alive and it has caught up.
func (g *Group) live(r ReplicaID) bool { return g.caughtUp(r) && (r == g.Self || g.Alive(r.Node())) }

// Present are the live voters.
func (g *Group) Present() []ReplicaID {
	return slices.DeleteFunc(slices.Clone(g.Voters), func(r ReplicaID) bool { return !g.live(r) })
}

// mayLead reports whether a node may have the lead, now or soon.
func (g *Group) mayLead(n NodeID) bool {
	r := g.member(n)
	return g.votes(r) && g.live(r) && (g.Willing == nil || g.Willing(n))
}

// canLead reports whether a node can take the lead now.
func (g *Group) canLead(n NodeID) bool {
	return g.mayLead(n) && (g.CanLead == nil || g.CanLead(g.member(n)))
}

func (g *Group) votes(r ReplicaID) bool { return slices.Contains(g.Voters, r) }

func (g *Group) members() []ReplicaID { return slices.Concat(g.Voters, g.Learners) }

// member is a node's replica in the group; 0: it has none, or an obsolete one.
func (g *Group) member(n NodeID) ReplicaID {
	for _, r := range g.members() {
		if r.Node() == n && !g.obsolete(r) {
			return r
		}
	}
	return 0
}

func (g *Group) obsolete(r ReplicaID) bool {
	return r < g.Known[r.Node()] // of one node, so by generation
}
