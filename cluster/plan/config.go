package plan

import "slices"

// Config is the members of a group as its leader has registered them. A leader announces a
// change of the voters before it proposes it, so the voters in force are always Voters, or a
// set of Next, or on the way from one to the other. The zero Config is unknown.
type Config struct {
	// Term is that of the leader that has registered it.
	Term uint64
	// Voters are those in force. Outgoing are the earlier ones while a joint change is
	// under way, which needs a majority of both.
	Voters, Outgoing, Learners []ReplicaID
	// Next are sets of voters that may have come into force since.
	Next [][]ReplicaID
}

// Known reports whether the voters are registered.
func (c Config) Known() bool { return len(c.Voters) > 0 }

// SameVoters reports whether two configurations have the same voters in force.
func (c Config) SameVoters(o Config) bool {
	return slices.Equal(c.Voters, o.Voters) && slices.Equal(c.Outgoing, o.Outgoing)
}

// Says reports whether registering c would add nothing to o. Announcements count in their
// leader's term only.
func (c Config) Says(o Config) bool {
	return c.SameVoters(o) && slices.Equal(c.Learners, o.Learners) && slices.EqualFunc(c.Next, o.Next, slices.Equal) && (c.Term == o.Term || len(c.Next) == 0)
}

// MaxNext bounds the announced sets. With as many a leader announces no other until one has
// come into force.
const MaxNext = 4

// Record is what the leader of a group with these members registers: next is the set of
// voters that it is about to propose; nil: none. was is what is registered. Sets in it that
// this leader has proposed in this term may still come into force; those of earlier terms
// have done so or never will, since a leader has applied everything that was in its log when
// it was elected.
func (c Config) Record(was Config, next []ReplicaID, proposed func([]ReplicaID) bool) Config {
	c.Next = nil
	if was.Term == c.Term && was.SameVoters(c) {
		c.Next = slices.DeleteFunc(slices.Clone(was.Next), func(s []ReplicaID) bool {
			return !proposed(s) && !slices.Equal(s, next)
		})
	}
	known := slices.ContainsFunc(c.Next, func(s []ReplicaID) bool { return slices.Equal(s, next) })
	if next != nil && !known && len(c.Next) < MaxNext {
		c.Next = append(c.Next, next)
	}
	if len(c.Next) == 0 {
		c.Next = nil
	}
	return c
}

// Announces reports whether a set of voters is one of Next.
func (c Config) Announces(voters []ReplicaID) bool {
	return slices.ContainsFunc(c.Next, func(s []ReplicaID) bool { return slices.Equal(s, voters) })
}

// Votes reports whether a node has, or may have got, a vote.
func (c Config) Votes(n NodeID) bool {
	return slices.ContainsFunc(c.sets(), func(s []ReplicaID) bool { return count(s, of(n)) > 0 })
}

// Has reports whether a node has a replica, or may have got a vote.
func (c Config) Has(n NodeID) bool { return count(c.Learners, of(n)) > 0 || c.Votes(n) }

// Nodes are the nodes that have, or may have got, a vote, in order.
func (c Config) Nodes() (nodes []NodeID) {
	for _, s := range c.sets() {
		for _, r := range s {
			nodes = append(nodes, r.Node())
		}
	}
	slices.Sort(nodes)
	return slices.Compact(nodes)
}

// sets are the sets of voters of each of which a majority may be needed.
func (c Config) sets() [][]ReplicaID { return append(c.inForce(), c.Next...) }

// inForce are the sets of which a majority was needed when the leader registered them.
func (c Config) inForce() [][]ReplicaID {
	sets := [][]ReplicaID{c.Voters}
	if len(c.Outgoing) > 0 {
		sets = append(sets, c.Outgoing)
	}
	return sets
}

// Majority reports whether among has a majority of every set of voters.
func (c Config) Majority(among func(ReplicaID) bool) bool { return c.Known() && c.Spare(among) >= 0 }

// Spare is how many more live voters the group may lose: none at 0, and below it
// the group has no majority.
func (c Config) Spare(live func(ReplicaID) bool) int {
	spare := len(c.Voters)
	for _, s := range c.sets() {
		spare = min(spare, count(s, live)-majority(s))
	}
	return spare
}

// Live is how many voters in force are alive, in the smaller set of two.
func (c Config) Live(live func(ReplicaID) bool) int {
	n := len(c.Voters)
	for _, s := range c.inForce() {
		n = min(n, count(s, live))
	}
	return n
}

func majority(voters []ReplicaID) int { return len(voters)/2 + 1 }

func count(rs []ReplicaID, is func(ReplicaID) bool) (n int) {
	for _, r := range rs {
		if is(r) {
			n++
		}
	}
	return n
}

func of(n NodeID) func(ReplicaID) bool { return func(r ReplicaID) bool { return r.Node() == n } }
