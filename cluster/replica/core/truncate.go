package core

import (
	"go.etcd.io/raft/v3"
	pb "go.etcd.io/raft/v3/raftpb"
	"go.etcd.io/raft/v3/tracker"
)

// Flushed takes note that a shard's state is on disk up to an entry, and lets go
// of the log that it came from, as far as every replica has it. So most entries
// die in the store's memory and are never written but to the write-ahead log.
func (c *Core) Flushed(shard ShardID, upTo uint64) {
	g := c.groups[shard]
	if g == nil || g.frozen() {
		return
	}
	g.flushed = max(g.flushed, min(upTo, g.applied.Index))
	if g.leading {
		g.everywhere, g.asOf = slowest(g.node, everybody), c.ticks
	}
	if at := min(g.flushed, c.everywhere(g)); at > g.log.truncated().Index {
		c.truncate(g, at)
		return
	}
	c.truncateLog(g)
}

// truncateLog lets go of the beginning of a log. Only what is flushed goes: after a
// crash the rest is applied again.
//
// What every replica has goes in pieces of some size, and all of it with a flush.
// What somebody lacks is kept until the log is longer than twice what is kept for
// followers that lag, and a leader spares what a live follower still needs until it
// is four times as long as it should be: then the follower gets a snapshot, and what
// follows that is held for it.
//
// The truncation is written behind the flushed state in the same write-ahead
// log, so a crash cannot lose the state and keep the truncation.
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

// truncate lets go of the entries up to an index, which are in the log: in memory
// first, because raft must not ask for what is about to go.
func (c *Core) truncate(g *group, index uint64) {
	p := Position{Index: index}
	p.Term, _ = g.log.Term(index)
	g.log.truncate(p)
	g.truncate = p
	c.mark(g)
}

// Truncate lets go of a log up to an index, so that nothing of these entries is
// kept; it reports whether that is decided, to be asked again if not. A leader
// waits for live followers that lack some of them, unless it must not wait: then
// they get a snapshot.
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

// everywhere is an index up to which every replica of the shard has the log. A
// leader knows, as of the last tick, and the others heard it from their leader.
func (c *Core) everywhere(g *group) uint64 {
	if g.leading && g.asOf != c.ticks {
		g.everywhere, g.asOf = slowest(g.node, everybody), c.ticks
	}
	return g.everywhere
}

// tellEverywhere puts that index into a heartbeat, in a field that raft does not
// use there.
func (c *Core) tellEverywhere(g *group, m *pb.Message) {
	if m.GetType() == pb.MsgHeartbeat {
		m.RejectHint = new(c.everywhere(g))
	}
}

// hearEverywhere takes it from there.
func (g *group) hearEverywhere(m *pb.Message) {
	if m.GetType() == pb.MsgHeartbeat && m.GetTerm() == g.term && !g.leading {
		g.everywhere = m.GetRejectHint()
	}
}

func alive(p *tracker.Progress) bool   { return p.RecentActive }
func everybody(*tracker.Progress) bool { return true }

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
