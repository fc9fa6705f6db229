package core

import (
	pb "go.etcd.io/raft/v3/raftpb"

	"ssod/cluster"
)

// dispensable reports whether an append message need not be sent: it has no entries
// and follows some that were sent just now. Raft sends every new commit index in a
// message of its own: half of all messages, and one more sync at the follower. The next
// entries or heartbeat carry it too, and until then the follower only applies later,
// which matters in the meta shard alone, because every node reads its state there.
//
// Raft also sends such a message after each heartbeat response from a follower that has
// not acknowledged everything, to find lost entries; the second of these goes out.
func (c *Core) dispensable(g *group, to ReplicaID, m *pb.Message) bool {
	if len(m.GetEntries()) > 0 {
		g.entrusted.set(to, c.ticks)
		return false
	}
	at, ok := g.entrusted.of(to)
	return ok && c.ticks-at < heartbeatTicks && g.shard != cluster.MetaShard
}
