package core

import "slices"

// Vouch says that this node's replica follows in the term, like the answer to a fence,
// to go with a read that is sent to the leader; false when it does not follow. It holds
// as long as l is the last leadership that is known: until then no vote for a later
// leader has left this node.
func (l *Leadership) Vouch() (Followed, bool) {
	return Followed{l.Shard, l.Term, l.Replica}, l.Replica != 0
}

// Vouched reports whether a replica's voucher confirms this leader, because the two are
// a majority. Then everything is applied here that had been acknowledged when the
// replica vouched, cluster/replica/DESIGN.md#vouchers.
func (l *Leadership) Vouched(by Followed) bool {
	return l.Open && by.Shard == l.Shard && by.Term == l.Term && slices.Contains(l.Seconds, by.Replica)
}

// seconds are the voters any one of which is a majority together with this replica, on
// both sides of a change of members.
func (g *group) seconds() (all []ReplicaID) {
	now, before := g.applied.Conf.GetVoters(), g.applied.Conf.GetVotersOutgoing()
	for _, v := range now {
		id := ReplicaID(v)
		if id != g.id && majority(now, g.id, id) && (len(before) == 0 || majority(before, g.id, id)) {
			all = append(all, id)
		}
	}
	return all
}

// majority reports whether two replicas are a majority of the voters.
func majority(voters []uint64, a, b ReplicaID) bool {
	n := 0
	for _, v := range voters {
		if id := ReplicaID(v); id == a || id == b {
			n++
		}
	}
	return n > len(voters)/2
}
