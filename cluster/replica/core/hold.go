package core

import (
	"maps"
	"slices"

	"go.etcd.io/raft/v3"
	"go.etcd.io/raft/v3/tracker"
)

// hold keeps the log for one replica that gets a snapshot, within bounds, until it has
// caught up. A snapshot travels while its shard is written to: if the log that follows
// it were gone when it arrives, the replica would need another one, and so on for ever.
type hold struct {
	// index is that of the snapshot: the entries after it are kept.
	index uint64
	// limit bounds the log while it is held, in bytes.
	limit int
	// sending: the snapshot is on its way; the transport bounds that time.
	sending bool
	// match was the replica's at the tick since.
	match, since uint64
}

const (
	// holdTicks is how many ticks a replica that has its snapshot may make no progress:
	// a minute at ticks of 100 ms, in which any disk installs one.
	holdTicks = 600
	// answerTicks is how many ticks after a snapshot was sent earlier answers of the
	// replica may still arrive.
	answerTicks = 5
)

func (c *Core) holdFor(g *group, to ReplicaID, index uint64) {
	if g.holds == nil {
		g.holds = make(map[ReplicaID]*hold)
	}
	g.holds[to] = &hold{index: index, limit: c.cfg.LogHold, sending: true, match: g.matches()[to], since: c.ticks}
}

// matches is, on a leader, the index up to which each replica's log is known to agree.
func (g *group) matches() map[ReplicaID]uint64 {
	all := map[ReplicaID]uint64{}
	g.node.WithProgress(func(id uint64, _ raft.ProgressType, p tracker.Progress) { all[ReplicaID(id)] = p.Match })
	return all
}

// SnapshotExported reports the index and the bytes of the snapshot that is being sent to
// a replica. The log may get as long as the snapshot while it travels, which it does at
// twice the rate at which the shard is written to, see [Core.WriteRate].
func (c *Core) SnapshotExported(shard ShardID, to ReplicaID, index uint64, size int) {
	if g := c.groups[shard]; g != nil && g.holds[to] != nil {
		h := g.holds[to]
		h.index, h.limit = max(h.index, index), max(c.cfg.LogHold, size)
	}
}

// SnapshotSent reports how a [SnapshotSend] ended: whether the replica has the message
// and all of its data.
//
// Raft is told only of a failure. The replica itself reports that it has installed the
// snapshot; told earlier, raft would continue at an index that may be gone by then and
// send another snapshot.
func (c *Core) SnapshotSent(shard ShardID, to ReplicaID, ok bool) {
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

// unfrozen notes that a replica has answered a heartbeat, which it does not do while it
// installs a snapshot. If one was sent some time ago, it was not wanted or its
// confirmation got lost.
func (c *Core) unfrozen(g *group, from ReplicaID) {
	if h := g.holds[from]; h != nil && !h.sending && c.ticks-h.since > answerTicks {
		c.reportSnapshot(g, from, raft.SnapshotFinish)
	}
}

// tickHolds ends the holds of replicas that have caught up or make no progress.
func (c *Core) tickHolds(g *group) {
	if len(g.holds) == 0 {
		return
	}
	match := g.matches()
	for _, id := range slices.Sorted(maps.Keys(g.holds)) { // deterministic
		h := g.holds[id]
		at, member := match[id]
		if at > h.match {
			h.match, h.since = at, c.ticks
		}
		switch {
		case !member:
			delete(g.holds, id)
		case h.sending:
		case at >= h.index && g.log.after(at) <= c.cfg.LogKeep/2:
			delete(g.holds, id)
		case c.ticks-h.since > holdTicks:
			delete(g.holds, id)
			if at < h.index {
				c.reportSnapshot(g, id, raft.SnapshotFailure)
			}
		}
	}
}

// rateTicks is the time over which the write rate of a shard is measured.
const rateTicks = 10

// measure measures the write rate. It falls slowly, so that a pause between two bursts
// does not count.
func (c *Core) measure(g *group) {
	if c.ticks%rateTicks == 0 {
		g.rate = max((g.log.written-g.written)/rateTicks, g.rate/2)
		g.written = g.log.written
	}
}

// WriteRate is about how many bytes the log of a shard grows by per tick.
func (c *Core) WriteRate(shard ShardID) int {
	if g := c.groups[shard]; g != nil {
		return g.rate
	}
	return 0
}

// held is the index up to which holds allow a truncation. A replica for which the log
// has become too long will need another snapshot.
func (g *group) held() uint64 {
	upTo := ^uint64(0)
	for _, h := range g.holds {
		if g.log.size() <= h.limit {
			upTo = min(upTo, max(h.index, h.match))
		}
	}
	return upTo
}
