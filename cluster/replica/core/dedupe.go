package core

import pb "go.etcd.io/raft/v3/raftpb"

// posted is a message of this round that a later one may replace.
type posted struct {
	to    ReplicaID
	kind  pb.MessageType
	index uint64 // of the entry before those that it carries
	at    int    // in the messages to the node
}

// dedupe replaces an earlier message of the same round if m says at least as much,
// and reports whether it did. A node that was cut off or stalled finds the heartbeats
// of that time waiting. Raft would answer each, and to each answer the leader would
// send everything that the follower lacks, up to 1 MiB per shard: hundreds of times
// the log in one frame.
//
// A heartbeat response says no less than the one before it. Entries from the same
// index on, in the same term, are the same entries and perhaps more. To have the log
// up to an index is to have all before it; a rejection is always sent.
func (c *Core) dedupe(g *group, to ReplicaID, m *pb.Message) bool {
	kind := m.GetType()
	if kind != pb.MsgHeartbeatResp && kind != pb.MsgApp && (kind != pb.MsgAppResp || m.GetReject()) {
		return false
	}
	if g.postedIn != c.rounds {
		g.postedIn, g.posted = c.rounds, g.posted[:0]
	}
	for _, p := range g.posted {
		if p.to != to || p.kind != kind || kind == pb.MsgApp && p.index != m.GetIndex() {
			continue
		}
		if earlier := &c.out.of(to.Node())[p.at].Message; supersedes(m, *earlier) {
			*earlier = m
			return true
		}
	}
	g.posted = append(g.posted, posted{to, kind, m.GetIndex(), len(c.out.of(to.Node()))})
	return false
}

// supersedes reports whether m says no less than an earlier message of its kind.
func supersedes(m, earlier *pb.Message) bool {
	return m.GetTerm() == earlier.GetTerm() && len(m.GetEntries()) >= len(earlier.GetEntries()) &&
		(m.GetType() != pb.MsgAppResp || m.GetIndex() >= earlier.GetIndex())
}
