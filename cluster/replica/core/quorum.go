package core

import (
	"cmp"
	"slices"

	"go.etcd.io/raft/v3"
	pb "go.etcd.io/raft/v3/raftpb"
	"go.etcd.io/raft/v3/tracker"
)

// silentTicks is after how many ticks without a word from a majority a leader
// stops taking commits and barriers, which could only wait: at ticks of 100 ms
// after half a second. Raft itself lets it lead for an election timeout.
const silentTicks = 5

// hear notes that a voter sent something.
func (c *Core) hear(g *group, id ReplicaID) {
	conf := g.applied.Conf
	if !slices.Contains(conf.GetVoters(), uint64(id)) && !slices.Contains(conf.GetVotersOutgoing(), uint64(id)) {
		return
	}
	g.heard.set(id, c.ticks)
}

// begTicks is for how many ticks a silent leader waits before it asks another
// voter to take over, and then the next.
const begTicks = 3

// listen decides whether a leader still hears a majority.
func (c *Core) listen(g *group) {
	if !g.leading {
		g.silent, g.since = 0, c.ticks
		return
	}
	conf := g.applied.Conf
	if c.ticks-g.since <= silentTicks || c.hears(g, conf.GetVoters()) && c.hears(g, conf.GetVotersOutgoing()) {
		g.silent = 0
		return
	}
	g.silent++
	if g.silent%begTicks == 0 {
		c.beg(g, g.silent/begTicks-1)
	}
}

// beg asks another voter to stand for election, the n-th best by what is known
// of the logs. It may hear this leader, which cannot know: as long as it does it
// does not stand by itself. It needs the votes of a majority as always, so the
// message promises nothing.
func (c *Core) beg(g *group, n int) {
	type heir struct{ id, match uint64 }
	var heirs []heir
	g.node.WithProgress(func(id uint64, _ raft.ProgressType, p tracker.Progress) {
		if id != uint64(g.id) && slices.Contains(g.applied.Conf.GetVoters(), id) {
			heirs = append(heirs, heir{id, p.Match})
		}
	})
	if len(heirs) == 0 {
		return
	}
	slices.SortFunc(heirs, func(a, b heir) int {
		return cmp.Or(cmp.Compare(b.match, a.match), cmp.Compare(a.id, b.id))
	})
	c.send(g, &pb.Message{
		Type: pb.MsgTimeoutNow.Enum(), To: new(heirs[n%len(heirs)].id), From: new(uint64(g.id)), Term: new(g.term),
	})
}

// hears reports whether a majority of the voters, this one included, has been
// heard of lately.
func (c *Core) hears(g *group, voters []uint64) bool {
	n := 0
	for _, v := range voters {
		if ReplicaID(v) == g.id || c.heardLately(g, ReplicaID(v)) {
			n++
		}
	}
	return len(voters) == 0 || n > len(voters)/2
}

// heardLately reports whether another voter has been heard of lately.
func (c *Core) heardLately(g *group, id ReplicaID) bool {
	at, ok := g.heard.of(id)
	return ok && c.ticks-at <= silentTicks
}

// hearsLeader reports whether a follower has heard from its leader within the
// least election timeout, during which it votes for nobody else.
func (c *Core) hearsLeader(g *group) bool {
	at, ok := g.heard.of(g.is().lead)
	return ok && c.ticks-at < uint64(c.cfg.ElectionTicks)
}
