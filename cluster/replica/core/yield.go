package core

import (
	pb "go.etcd.io/raft/v3/raftpb"
)

// yields says that a replica has encouraged another one to stand for election,
// with a PreVote, and until which tick it leaves it at that. Two that stand in one
// term take the votes from each other, and both wait for another election timeout.
type yields struct {
	to    ReplicaID
	until uint64
}

// yieldTicks is for how many ticks the time of who yields stands still. The other
// stores its own vote before it asks for others, for which a disk under load takes
// tens of milliseconds.
const yieldTicks = 3

// encourages reports whether m is a PreVote.
func encourages(m *pb.Message) bool { return m.GetType() == pb.MsgPreVoteResp && !m.GetReject() }

// discouraged reports whether m encourages a replica that has encouraged the
// sender at the same time. Of two such the one with the larger id lets it be.
func (c *Core) discouraged(g *group, m *pb.Message) bool {
	from := ReplicaID(m.GetFrom())
	return encourages(m) && from == g.yields.to && c.ticks < g.yields.until && from < g.id
}

// postpone keeps encouragement by a replica whose own request came in the same
// round: whether this one encourages it too shows when raft has answered.
func (g *group) postpone(m *pb.Message) bool {
	if !encourages(m) || !g.request.fresh || g.request.by != ReplicaID(m.GetFrom()) {
		return false
	}
	g.postponed = append(g.postponed, m)
	return true
}

// takePostponed hands what was postponed to raft.
func (c *Core) takePostponed(g *group) {
	ms := g.postponed
	g.request.fresh, g.postponed = false, nil
	for _, m := range ms {
		if !g.frozen() && !c.discouraged(g, m) {
			c.step(g, m)
			c.mark(g)
		}
	}
}
