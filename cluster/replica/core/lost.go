package core

// stands is when a replica stands for election because the leader is gone: in
// these ticks, as long as nobody else does.
type stands struct {
	from, until uint64
	term        uint64 // the term of the leader
}

// standTicks is for how many ticks each voter stands, one after another. The
// first may be refused for a log that is behind, and before the others hear of
// the loss they keep to the leader and do not even answer; waiting for the
// election timeout would take ten times as long.
const standTicks = 2

// ConnectionLost reports that the connection to a node was refused or reset,
// so its process is gone. The shards that it led forget it, and of each the
// first voter that is left stands for election at once, the next a little later.
// The others have forgotten the leader too and so may vote before their lease is
// over.
func (c *Core) ConnectionLost(n NodeID) {
	c.Unreachable(n)
	for _, g := range c.order {
		if g.frozen() || g.leading || g.lead.Node() != n {
			continue
		}
		_ = g.raft().ForgetLeader()
		if turn, ok := turn(g.applied.Conf.GetVoters(), n, g.id); ok {
			from := c.ticks + turn*standTicks
			g.stands = stands{from: from, until: from + standTicks - 1, term: g.term}
			c.stand(g)
		}
		c.mark(g)
	}
}

// stand stands for election if it is this replica's turn, nobody leads and no
// election is under way.
func (c *Core) stand(g *group) {
	s := g.stands
	if c.ticks < s.from || c.ticks > s.until || s.term == 0 {
		return
	}
	if now := g.node.BasicStatus(); now.Lead == 0 && now.GetTerm() == s.term {
		_ = g.raft().Campaign()
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
