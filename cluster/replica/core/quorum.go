package core

import (
	"cmp"
	"slices"

	"go.etcd.io/raft/v3"
	pb "go.etcd.io/raft/v3/raftpb"
	"go.etcd.io/raft/v3/tracker"
)

// quorumTicks is after how many ticks without a message from a majority a leader
// refuses commits and barriers, which could only wait: half a second at ticks of
// 100 ms. Raft itself lets it lead for an election timeout.
const quorumTicks = 5

// takeoverTicks is how many ticks a leader without a quorum waits before it asks
// another voter to take over, and then the next.
const takeoverTicks = 3

// hear notes that a voter sent something.
func (c *Core) hear(g *group, id ReplicaID) {
	if votes(g.applied.Conf, id) {
		g.heard.set(id, c.ticks)
	}
}

// checkQuorum decides whether a leader still hears a majority.
func (c *Core) checkQuorum(g *group) {
	if !g.leading {
		g.noQuorum, g.since = 0, c.ticks
		return
	}
	conf := g.applied.Conf
	if c.ticks-g.since <= quorumTicks || c.hearsMajority(g, conf.GetVoters()) && c.hearsMajority(g, conf.GetVotersOutgoing()) {
		g.noQuorum = 0
		return
	}
	g.noQuorum++
	if g.noQuorum%takeoverTicks == 0 {
		c.askTakeover(g, g.noQuorum/takeoverTicks-1)
	}
}

// askTakeover asks the voter with the n-th longest log to campaign. It may hear this
// leader, which does not hear it, and then would not campaign by itself. It needs the
// votes of a majority as always, so the message promises nothing.
func (c *Core) askTakeover(g *group, n int) {
	type successor struct{ id, match uint64 }
	var all []successor
	g.node.WithProgress(func(id uint64, _ raft.ProgressType, p tracker.Progress) {
		if id != uint64(g.id) && slices.Contains(g.applied.Conf.GetVoters(), id) {
			all = append(all, successor{id, p.Match})
		}
	})
	if len(all) == 0 {
		return
	}
	slices.SortFunc(all, func(a, b successor) int {
		return cmp.Or(cmp.Compare(b.match, a.match), cmp.Compare(a.id, b.id))
	})
	c.send(g, &pb.Message{
		Type: pb.MsgTimeoutNow.Enum(), To: new(all[n%len(all)].id), From: new(uint64(g.id)), Term: new(g.term),
	})
}

// hearsMajority reports whether a majority of the voters, this one included, was
// heard lately.
func (c *Core) hearsMajority(g *group, voters []uint64) bool {
	n := 0
	for _, v := range voters {
		if ReplicaID(v) == g.id || c.heardLately(g, ReplicaID(v)) {
			n++
		}
	}
	return len(voters) == 0 || n > len(voters)/2
}

func (c *Core) heardLately(g *group, id ReplicaID) bool {
	at, ok := g.heard.of(id)
	return ok && c.ticks-at <= quorumTicks
}

// hearsLeader reports whether a follower has heard its leader within the least
// election timeout, during which it votes for nobody else.
func (c *Core) hearsLeader(g *group) bool {
	at, ok := g.heard.of(g.is().lead)
	return ok && c.ticks-at < uint64(c.cfg.ElectionTicks)
}
