package core

import "go.etcd.io/raft/v3"

// campaign is when a replica campaigns because its leader's process is gone, unless
// another one has begun by then.
type campaign struct {
	at   uint64 // tick
	term uint64 // of the leader
}

// campaignTicks is the delay of each voter after the one before it, which may be
// refused because its log is behind.
const campaignTicks = 2

// ConnectionLost reports that the connection to a node was refused or reset,
// so its process is gone. The shards that it led forget it, and in each of them the
// first remaining voter campaigns at once, the next a little later. The others have
// forgotten the leader too and so may vote before its lease is over. A reluctant
// node leaves it to them.
func (c *Core) ConnectionLost(n NodeID) {
	c.Unreachable(n)
	for _, g := range c.order {
		if g.frozen() || g.leading || g.lead.Node() != n {
			continue
		}
		_ = g.move().ForgetLeader()
		if turn, ok := turn(g.applied.Conf.GetVoters(), n, g.id); ok && !c.reluctant {
			g.campaign = campaign{at: c.ticks + turn*campaignTicks, term: g.term}
			c.campaign(g)
		}
		c.mark(g)
	}
}

// SetReluctant says whether this node should lead nothing if it can be avoided: its
// disk is so slow that it would hold up what it leads. It campaigns only at its
// election timeout.
func (c *Core) SetReluctant(reluctant bool) { c.reluctant = reluctant }

// campaign campaigns if it is this replica's turn and no election is under way.
func (c *Core) campaign(g *group) {
	due := g.campaign
	if c.ticks != due.at || due.term == 0 {
		return
	}
	if now := g.is(); now.lead == 0 && now.term == due.term {
		_ = g.move().Campaign()
	}
}

// retryTicks is how long a pre-candidate repeats its requests, about until its next
// election timeout.
const retryTicks = 10

// retryPreVote repeats the requests for pre-votes. A voter that takes the leader for
// alive does not even answer, and may learn only some ticks later that it is gone.
func (c *Core) retryPreVote(g *group) {
	switch {
	case g.is().state != raft.StatePreCandidate:
		g.retries = 0
	case g.retries < retryTicks && c.ticks >= g.granted.until && !c.reluctant:
		g.retries++
		_ = g.move().Campaign()
	}
}

// turn counts the voters that campaign before id when node except is gone; false
// when id is no voter.
func turn(voters []uint64, except NodeID, id ReplicaID) (n uint64, ok bool) {
	for _, v := range voters {
		switch other := ReplicaID(v); {
		case other == id:
			ok = true
		case other < id && other.Node() != except:
			n++
		}
	}
	return n, ok
}
