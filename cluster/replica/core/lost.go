package core

import "go.etcd.io/raft/v3"

// stands is when a replica stands for election because the leader is gone, if
// nobody else does.
type stands struct {
	at   uint64 // tick
	term uint64 // the term of the leader
}

// standTicks is how long one voter waits after another: the one before may be
// refused for a log that is behind.
const standTicks = 2

// ConnectionLost reports that the connection to a node was refused or reset,
// so its process is gone. The shards that it led forget it, and of each the
// first voter that is left stands for election at once, the next a little later.
// The others have forgotten the leader too and so may vote before their lease is
// over. A reluctant node leaves it to them.
func (c *Core) ConnectionLost(n NodeID) {
	c.Unreachable(n)
	for _, g := range c.order {
		if g.frozen() || g.leading || g.lead.Node() != n {
			continue
		}
		_ = g.move().ForgetLeader()
		if turn, ok := turn(g.applied.Conf.GetVoters(), n, g.id); ok && !c.reluctant {
			g.stands = stands{at: c.ticks + turn*standTicks, term: g.term}
			c.stand(g)
		}
		c.mark(g)
	}
}

// SetReluctant says whether this node should lead nothing, as far as it depends
// on it: its disk takes so long that it would hold up what it leads. It stands for
// election late, when nobody else did.
func (c *Core) SetReluctant(reluctant bool) { c.reluctant = reluctant }

// stand stands for election if it is this replica's turn, nobody leads and no
// election is under way.
func (c *Core) stand(g *group) {
	s := g.stands
	if c.ticks != s.at || s.term == 0 {
		return
	}
	if now := g.is(); now.lead == 0 && now.term == s.term {
		_ = g.move().Campaign()
	}
}

// askTicks is for how many ticks a replica asks again for encouragement, about
// until its next election timeout.
const askTicks = 10

// askAgain asks again who has not encouraged this replica. As long as they take
// the leader for alive they do not even answer, and they may learn that it is not
// some ticks later than this one; waiting for another election timeout would take
// longer.
func (c *Core) askAgain(g *group) {
	switch {
	case g.is().state != raft.StatePreCandidate:
		g.asked = 0
	case g.asked < askTicks && c.ticks >= g.yields.until && !c.reluctant:
		g.asked++
		_ = g.move().Campaign()
	}
}

// turn is how many voters stand before id when node except is gone; false when
// id is no voter.
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
