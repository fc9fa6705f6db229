package core

import pb "go.etcd.io/raft/v3/raftpb"

// posted is a message of this round that a later one may supersede.
type posted struct {
	to    ReplicaID
	kind  pb.MessageType
	index uint64 // of the entry before those that it carries
	at    int    // in the messages to the node
}

// supersede puts a message in the place of one of the same round that says less,
// and reports whether there was one. A node that was cut off or stood still finds
// the heartbeats of that time waiting. Raft would answer each, and for each answer
// the leader would send all that the follower has missed, of all shards, up to a
// MiB each: hundreds of times the log in one frame.
//
// An answer to a heartbeat says no less than the one before it. Entries from the
// same place on, in the same term, are the same entries and perhaps more. Who has the
// log up to an index has what comes before; that it refuses entries is said each time.
func (c *Core) supersede(g *group, to ReplicaID, m *pb.Message) bool {
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
		if earlier := &c.out.of(to.Node())[p.at].Message; saysMore(m, *earlier) {
			*earlier = m
			return true
		}
	}
	g.posted = append(g.posted, posted{to, kind, m.GetIndex(), len(c.out.of(to.Node()))})
	return false
}

// saysMore reports whether a message says no less than an earlier one of its kind.
func saysMore(m, earlier *pb.Message) bool {
	return m.GetTerm() == earlier.GetTerm() && len(m.GetEntries()) >= len(earlier.GetEntries()) &&
		(m.GetType() != pb.MsgAppResp || m.GetIndex() >= earlier.GetIndex())
}
