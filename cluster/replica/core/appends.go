package core

import (
	pb "go.etcd.io/raft/v3/raftpb"

	"ssod/cluster"
)

// dispensable reports whether an append message need not be sent: it has no
// entries and follows some that were sent just now. As soon as entries are
// committed raft tells every follower so, in a message of its own that is
// answered like any other: half of all messages, and at the follower a sync more.
// The next entries say it too, and so does the next heartbeat. Nothing but what a
// follower has applied waits for it, which nobody reads: but for the meta shard,
// whose state every node goes by.
//
// Raft also sends such messages to find out whether entries were lost. It does so
// whenever a heartbeat is answered by who has not acknowledged them, so that the
// second of these goes out.
func (c *Core) dispensable(g *group, to ReplicaID, m *pb.Message) bool {
	if len(m.GetEntries()) > 0 {
		g.entrusted.set(to, c.ticks)
		return false
	}
	at, ok := g.entrusted.of(to)
	return ok && c.ticks-at < heartbeatTicks && g.shard != cluster.MetaShard
}
