package core

import (
	"maps"
	"slices"

	"go.etcd.io/raft/v3"
	"go.etcd.io/raft/v3/tracker"
)

// A snapshot travels while its shard is written to. If the log that follows it is gone
// when it arrives the replica needs another one, and so on for ever. So a leader holds
// that log, within bounds, until the replica has caught up.

// hold is for one replica.
type hold struct {
	// place is that of the snapshot: what follows it is kept.
	place uint64
	// limit is how long the log may get because of it, in bytes.
	limit int
	// sending: the snapshot is on its way, which its transport bounds.
	sending bool
	// match is how far the replica was at the tick since.
	match, since uint64
}

const (
	// holdTicks is for how many ticks a replica that has got its snapshot may make no
	// progress: at ticks of 100 ms a minute, in which any disk installs one.
	holdTicks = 600
	// answerTicks is how many ticks after it got a snapshot a replica may still give
	// the answers from before.
	answerTicks = 5
)

// holdFor begins to hold the log for a replica that is about to be sent a snapshot.
func (c *Core) holdFor(g *group, to ReplicaID, place uint64) {
	if g.holds == nil {
		g.holds = make(map[ReplicaID]*hold)
	}
	g.holds[to] = &hold{place: place, limit: c.cfg.LogHold, sending: true, match: g.matches()[to], since: c.ticks}
}

// matches is, on a leader, how far each replica's log is known to agree.
func (g *group) matches() map[ReplicaID]uint64 {
	all := map[ReplicaID]uint64{}
	g.node.WithProgress(func(id uint64, _ raft.ProgressType, p tracker.Progress) { all[ReplicaID(id)] = p.Match })
	return all
}

// SnapshotExported reports of which place and how long the snapshot is that is being
// sent to a replica. While it travels the log may get as long as it is: it goes at
// twice the rate at which the shard is written to, see [Core.WriteRate].
func (c *Core) SnapshotExported(shard ShardID, to ReplicaID, place uint64, size int) {
	if g := c.groups[shard]; g != nil && g.holds[to] != nil {
		h := g.holds[to]
		h.place, h.limit = max(h.place, place), max(c.cfg.LogHold, size)
	}
}

// SnapshotSent reports how a [SnapshotSend] ended: whether the message was
// handed to the replica with all of its data.
//
// Raft hears only of a failure. From a replica that has a snapshot it hears when that
// is installed; if it was to go on before, at a place that may be gone by then, it
// would want to send another one.
func (c *Core) SnapshotSent(shard ShardID, to ReplicaID, ok bool) {
	c.sending[shard]--
	g := c.groups[shard]
	if g == nil {
		return
	}
	h := g.holds[to]
	if h != nil && ok {
		h.sending, h.since = false, c.ticks
		return
	}
	delete(g.holds, to)
	status := raft.SnapshotFinish
	if !ok {
		status = raft.SnapshotFailure
	}
	c.reportSnapshot(g, to, status)
}

func (c *Core) reportSnapshot(g *group, to ReplicaID, status raft.SnapshotStatus) {
	g.raft().ReportSnapshot(uint64(to), status)
	c.mark(g)
}

// unfrozen takes note that a replica has answered a heartbeat, which it does not do
// while it installs a snapshot. If it was sent one some time ago it did not want it, or
// its word that it has it got lost.
func (c *Core) unfrozen(g *group, from ReplicaID) {
	if h := g.holds[from]; h != nil && !h.sending && c.ticks-h.since > answerTicks {
		c.reportSnapshot(g, from, raft.SnapshotFinish)
	}
}

// tickHolds ends the holds of replicas that have caught up or do not come on.
func (c *Core) tickHolds(g *group) {
	if len(g.holds) == 0 {
		return
	}
	match := g.matches()
	for _, id := range slices.Sorted(maps.Keys(g.holds)) { // the same in every run of the simulation
		h := g.holds[id]
		at, member := match[id]
		if at > h.match {
			h.match, h.since = at, c.ticks
		}
		switch {
		case !member:
			delete(g.holds, id)
		case h.sending:
		case at >= h.place && g.log.after(at) <= c.cfg.LogKeep/2:
			delete(g.holds, id)
		case c.ticks-h.since > holdTicks:
			delete(g.holds, id)
			if at < h.place {
				c.reportSnapshot(g, id, raft.SnapshotFailure)
			}
		}
	}
}

// rateTicks is over how many ticks the rate is taken at which a shard is written to.
const rateTicks = 10

// measure takes that rate. It falls slowly, so that a pause between two rushes does not
// count.
func (c *Core) measure(g *group) {
	if c.ticks%rateTicks == 0 {
		g.rate = max((g.log.written-g.written)/rateTicks, g.rate/2)
		g.written = g.log.written
	}
}

// WriteRate is about how many bytes a tick the log of a shard grows by.
func (c *Core) WriteRate(shard ShardID) int {
	if g := c.groups[shard]; g != nil {
		return g.rate
	}
	return 0
}

// held is up to where the log may be let go of for the sake of replicas that get
// snapshots. One for which the log has become too long needs another.
func (g *group) held() uint64 {
	upTo := ^uint64(0)
	for _, h := range g.holds {
		if g.log.size() <= h.limit {
			upTo = min(upTo, max(h.place, h.match))
		}
	}
	return upTo
}
