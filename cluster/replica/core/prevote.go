package core

import (
	pb "go.etcd.io/raft/v3/raftpb"
)

// grant is the last pre-vote that a replica granted. Until the tick it does not
// campaign itself: two candidates of one term split the votes, and both wait for
// another election timeout.
type grant struct {
	to    ReplicaID
	until uint64
}

// grantTicks is how long a grant delays the own election timeout. The candidate
// stores its own vote before it asks for others, which takes a disk under load tens
// of milliseconds.
const grantTicks = 3

func grantsPreVote(m *pb.Message) bool {
	return m.GetType() == pb.MsgPreVoteResp && !m.GetReject()
}

// crossed reports whether m is a pre-vote of a replica that was granted one at the
// same time. Of two such the one with the larger id gives way.
func (c *Core) crossed(g *group, m *pb.Message) bool {
	from := ReplicaID(m.GetFrom())
	return grantsPreVote(m) && from == g.granted.to && c.ticks < g.granted.until && from < g.id
}

// deferGrant keeps the pre-vote of a replica whose own request came in the same
// round: raft has yet to say whether it is granted one too.
func (g *group) deferGrant(m *pb.Message) bool {
	if !grantsPreVote(m) || !g.request.fresh || g.request.by != ReplicaID(m.GetFrom()) {
		return false
	}
	g.deferred = append(g.deferred, m)
	return true
}

func (c *Core) takeDeferred(g *group) {
	ms := g.deferred
	g.request.fresh, g.deferred = false, nil
	for _, m := range ms {
		if !g.frozen() && !c.crossed(g, m) {
			c.step(g, m)
			c.mark(g)
		}
	}
}
