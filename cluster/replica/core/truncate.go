package core

import (
	"go.etcd.io/raft/v3"
	pb "go.etcd.io/raft/v3/raftpb"
	"go.etcd.io/raft/v3/tracker"
)

// Flushed notes that a shard's state is on disk up to an entry, and truncates the log
// up to there as far as every replica has it. So most entries are never written
// anywhere but to the write-ahead log.
func (c *Core) Flushed(shard ShardID, upTo uint64) {
	g := c.groups[shard]
	if g == nil || g.frozen() {
		return
	}
	g.flushed = max(g.flushed, min(upTo, g.applied.Index))
	if g.leading {
		g.everywhere, g.asOf = slowest(g.node, all), c.ticks
	}
	if at := min(g.flushed, c.everywhere(g)); at > g.log.truncated().Index {
		c.truncate(g, at)
		return
	}
	c.truncateLog(g)
}

// truncateLog removes flushed entries from the beginning of a log; the others are
// applied again after a crash.
//
// Entries that every replica has go in pieces of at least [Config.LogRest]. Those that
// some replica lacks are kept until the log is longer than twice [Config.LogKeep], and
// those that a live follower lacks until it is four times as long: then the follower
// gets a snapshot, and the log after that is held for it.
//
// The truncation is written after the flushed state in the same write-ahead log, so a
// crash cannot lose the state and keep the truncation.
func (c *Core) truncateLog(g *group) {
	size := g.log.size()
	if g.frozen() || size <= c.cfg.LogRest {
		return
	}
	if p, ok := g.log.before(min(g.flushed, c.everywhere(g)), 0); ok && g.log.frees(p) >= c.cfg.LogRest {
		c.truncate(g, p.Index)
		return
	}
	keep := c.cfg.LogKeep
	if size <= 2*keep {
		return
	}
	upTo := g.flushed
	if g.leading && size <= 4*keep {
		upTo = min(upTo, slowest(g.node, alive))
	}
	if p, ok := g.log.before(min(upTo, g.held()), keep); ok {
		c.truncate(g, p.Index)
	}
}

// truncate removes the entries up to an index that is in the log, from memory at once:
// raft must not ask for what is about to go.
func (c *Core) truncate(g *group, index uint64) {
	p := Position{Index: index}
	p.Term, _ = g.log.Term(index)
	g.log.truncate(p)
	g.truncate = p
	c.mark(g)
}

// Truncate removes all entries up to an index from a log and reports whether that is
// decided; if not, the caller asks again. With wait a leader spares what live followers
// lack; without it they get a snapshot.
func (c *Core) Truncate(shard ShardID, upTo uint64, wait bool) (decided bool) {
	g := c.groups[shard]
	if g == nil {
		return true
	}
	switch {
	case g.frozen() || g.flushed < upTo:
		return false
	case g.log.truncated().Index >= upTo:
		return true
	case wait && g.leading && slowest(g.node, alive) < upTo:
		return false
	}
	c.truncate(g, upTo)
	return true
}

// everywhere is an index up to which every replica of the shard has the log: as of the
// last tick on a leader, and as the leader said on the others.
func (c *Core) everywhere(g *group) uint64 {
	if g.leading && g.asOf != c.ticks {
		g.everywhere, g.asOf = slowest(g.node, all), c.ticks
	}
	return g.everywhere
}

// tellEverywhere puts that index into a heartbeat, in a field that raft leaves unused.
func (c *Core) tellEverywhere(g *group, m *pb.Message) {
	if m.GetType() == pb.MsgHeartbeat {
		m.RejectHint = new(c.everywhere(g))
	}
}

func (g *group) hearEverywhere(m *pb.Message) {
	if m.GetType() == pb.MsgHeartbeat && m.GetTerm() == g.term && !g.leading {
		g.everywhere = m.GetRejectHint()
	}
}

func alive(p *tracker.Progress) bool { return p.RecentActive }
func all(*tracker.Progress) bool     { return true }

// slowest is the smallest match of some of the replicas.
func slowest(rn *raft.RawNode, of func(*tracker.Progress) bool) uint64 {
	least := ^uint64(0)
	rn.WithProgress(func(_ uint64, _ raft.ProgressType, p tracker.Progress) {
		if of(&p) {
			least = min(least, p.Match)
		}
	})
	return least
}
