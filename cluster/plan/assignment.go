package plan

import (
	"cmp"
	"slices"

	"ssod/persistence"
)

// NodeID numbers a node; it is never used again.
type NodeID = persistence.NodeID

// Assignment is the nodes that should hold one shard.
type Assignment struct {
	// Voters and Learners are in order.
	Voters, Learners []NodeID
	// Preferred is the voter that should lead; 0: any.
	Preferred NodeID
	// Home is the voter that would be preferred by the number of leaderships alone, when
	// [Relief] chose another one by load; else 0.
	Home NodeID
}

// home is the voter that should lead by the number of leaderships alone.
func (a Assignment) home() NodeID { return cmp.Or(a.Home, a.Preferred) }

// LedBy is the assignment with another leader, chosen by load.
func (a Assignment) LedBy(n NodeID) Assignment {
	home := a.home()
	a.Preferred, a.Home = n, home
	if n == home {
		a.Home = 0
	}
	return a
}

// Map has the assignments by shard; shard 0 is the meta group.
type Map []Assignment

// Has reports whether a node holds a replica.
func (a Assignment) Has(n NodeID) bool {
	return slices.Contains(a.Voters, n) || slices.Contains(a.Learners, n)
}

// Votes reports whether a node is to have a vote.
func (a Assignment) Votes(n NodeID) bool { return slices.Contains(a.Voters, n) }

// Replicas are all nodes that hold one, voters first.
func (a Assignment) Replicas() []NodeID {
	return slices.Concat(a.Voters, a.Learners)
}

func (a Assignment) Equal(b Assignment) bool {
	return a.Preferred == b.Preferred && a.Home == b.Home && slices.Equal(a.Voters, b.Voters) && slices.Equal(a.Learners, b.Learners)
}

// normal puts the nodes in order, so that equal assignments look equal.
func (a Assignment) normal() Assignment {
	slices.Sort(a.Voters)
	slices.Sort(a.Learners)
	return a
}

func without(nodes []NodeID, n NodeID) []NodeID {
	return slices.DeleteFunc(slices.Clone(nodes), func(m NodeID) bool { return m == n })
}
