package core

import (
	"fmt"
	"math"
	"slices"
	"time"

	pb "go.etcd.io/raft/v3/raftpb"
)

// Tolerance is how far a clock may be ahead of a majority's: the difference of good
// clocks plus the error of measuring them.
const Tolerance = 2 * time.Second

// now is the time of what is to be applied next.
func (c *Core) now(g *group) uint64 {
	return max(uint64(c.cfg.Now().UnixMilli()), g.applied.Time)
}

// stamp is now for what is written to the log or the state.
func (c *Core) stamp(g *group) uint64 {
	now := c.now(g)
	g.newest = max(g.newest, now)
	return now
}

// Bound is the latest time, in milliseconds since 1970, that this node may give to what
// it proposes for a shard: the clocks of a majority of the voters allow it, on both
// sides of a change of members. A sole voter has only its own. It is false while too
// few clocks are known; then nothing may be later than the shard time.
func (c *Core) Bound(shard ShardID) (ms uint64, known bool) {
	if g := c.groups[shard]; g != nil {
		return c.bound(g)
	}
	return 0, false
}

func (c *Core) bound(g *group) (ms uint64, known bool) {
	conf := g.applied.Conf
	if c.cfg.Measured == nil || soleVoter(conf, g.id) {
		return math.MaxUint64, true
	}
	ms, known = c.majority(conf.GetVoters())
	if out := conf.GetVotersOutgoing(); len(out) > 0 {
		before, ok := c.majority(out)
		ms, known = min(ms, before), known && ok
	}
	return ms, known
}

// majority is the latest time that a majority of the voters' clocks allow; an unknown
// one allows nothing.
func (c *Core) majority(voters []uint64) (ms uint64, known bool) {
	clocks := make([]int64, 0, 8) // more voters are rare
	for _, v := range voters {
		n := ReplicaID(v).Node()
		if n == c.cfg.Node {
			clocks = append(clocks, c.cfg.Now().UnixMilli())
		} else if now, ok := c.cfg.Measured(n); ok {
			clocks = append(clocks, now.UnixMilli())
		}
	}
	most := len(voters)/2 + 1
	if len(clocks) < most {
		return 0, false
	}
	slices.Sort(clocks)
	return uint64(max(0, clocks[len(clocks)-most]+Tolerance.Milliseconds())), true
}

// timely reports whether this node may propose now: at the shard time, or at a later
// time that the clocks allow.
func (c *Core) timely(g *group) bool {
	now := c.now(g)
	if now == g.applied.Time {
		return true
	}
	ms, known := c.bound(g)
	return known && now <= ms
}

// Ahead is how far this node's clock is ahead of a majority's, at most over the shards
// in which it votes; zero when it is ahead in none.
func (c *Core) Ahead() (ahead time.Duration) {
	now := c.cfg.Now().UnixMilli()
	for _, g := range c.order {
		if conf := g.applied.Conf; !votes(conf, g.id) || soleVoter(conf, g.id) {
			continue
		}
		if ms, known := c.bound(g); known && ms < math.MaxInt64 {
			ahead = max(ahead, time.Duration(now-int64(ms))*time.Millisecond+Tolerance)
		}
	}
	return ahead
}

func votes(cs *pb.ConfState, id ReplicaID) bool {
	return slices.Contains(cs.GetVoters(), uint64(id)) || slices.Contains(cs.GetVotersOutgoing(), uint64(id))
}

// credible reports whether entries from another node may be taken. They are ignored
// only when an uncommitted one of the leader's own term is later than everything in
// this replica's log and state, and later than the clocks allow: then the leader's
// clock is wrong, and this replica does not help to commit it. Entries of earlier terms
// are taken, because the clocks may have agreed then and nobody could remove them. So
// are a reset, which is the way back, and what comes before it.
//
// Safety does not depend on this, so a replica that knows too few clocks takes
// everything; and all replicas apply what is committed.
func (c *Core) credible(g *group, m *pb.Message) bool {
	if m.GetType() != pb.MsgApp {
		return true
	}
	newest, trusted := g.newest, max(m.GetCommit(), lastReset(m.GetEntries()))
	for _, e := range m.GetEntries() {
		now, _ := entryTime(e)
		if now > newest && e.GetIndex() > trusted && e.GetTerm() == m.GetTerm() {
			if ms, known := c.bound(g); known && now > ms {
				return false
			}
		}
		newest = max(newest, now)
	}
	g.newest = newest
	return true
}

// lastReset is the index of the last reset among entries, 0 if there is none.
func lastReset(entries []*pb.Entry) (index uint64) {
	for _, e := range entries {
		if _, reset := entryTime(e); reset {
			index = e.GetIndex()
		}
	}
	return index
}

// entryTime is the time that an entry carries, 0 when it has none.
func entryTime(e *pb.Entry) (ms uint64, reset bool) {
	if e.GetType() != pb.EntryNormal || len(e.GetData()) == 0 || e.GetData()[0] > newestEntry {
		return 0, false
	}
	_, header := decodeHeader(e.GetData())
	return header.Time, header.Reset
}

// timeOf is the latest of a time and those of entries.
func timeOf(entries []*pb.Entry, newest uint64) uint64 {
	for _, e := range entries {
		now, _ := entryTime(e)
		newest = max(newest, now)
	}
	return newest
}

// readNewest finds the latest time in the state and in the log after it.
func (g *group) readNewest() error {
	g.newest = g.applied.Time
	for next := g.applied.Index + 1; next <= g.log.last; {
		entries, err := g.log.Entries(next, g.log.last+1, 1<<20)
		if err != nil {
			return fmt.Errorf("read log of shard %d: %w", g.shard, err)
		}
		g.newest = timeOf(entries, g.newest)
		next += uint64(len(entries))
	}
	return nil
}
