package core

import (
	"go.etcd.io/raft/v3"
	"go.etcd.io/raft/v3/tracker"
)

// truncateLog lets go of the beginning of a log that is longer than twice what
// is kept. Only applied entries go. A leader spares what a live follower still
// needs, until the log is four times as long as it should be: then the follower
// gets a snapshot.
//
// The truncation is written behind the applied state in the same write-ahead
// log, so a crash cannot lose the state and keep the truncation.
func (c *Core) truncateLog(g *group) {
	keep := c.cfg.LogKeep
	if g.log.size() <= 2*keep || g.frozen() {
		return
	}
	upTo := g.applied.Index
	if g.leading && g.log.size() <= 4*keep {
		upTo = min(upTo, slowest(g.node))
	}
	p, ok := g.log.before(upTo, keep)
	if !ok {
		return
	}
	// In memory first: raft must not ask for what is about to go.
	g.log.truncate(p)
	g.truncate = p
	c.mark(g)
}

// slowest is the smallest match of the replicas that were heard of lately.
func slowest(rn *raft.RawNode) uint64 {
	least := ^uint64(0)
	rn.WithProgress(func(_ uint64, _ raft.ProgressType, p tracker.Progress) {
		if p.RecentActive {
			least = min(least, p.Match)
		}
	})
	return least
}
