package core

import (
	"errors"
	"math"

	"go.etcd.io/raft/v3"
	pb "go.etcd.io/raft/v3/raftpb"
	"go.etcd.io/raft/v3/tracker"
)

// Receive takes messages from another node. Those for no replica here, and those that
// no node may send, are dropped: raft repeats itself.
func (c *Core) Receive(from NodeID, ms []Envelope) {
	for _, e := range ms {
		g := c.groups[e.Shard]
		if g == nil || g.frozen() || !c.acceptable(g, from, e.Message) || c.crossed(g, e.Message) || !c.credible(g, e.Message) {
			continue
		}
		c.hear(g, ReplicaID(e.Message.GetFrom()))
		if e.Message.GetType() == pb.MsgHeartbeatResp {
			c.unfrozen(g, ReplicaID(e.Message.GetFrom()))
		}
		g.hearEverywhere(e.Message)
		if !g.deferGrant(e.Message) {
			c.step(g, e.Message)
		}
		c.mark(g)
	}
}

// step hands a message to raft.
func (c *Core) step(g *group, m *pb.Message) {
	g.step(m)
	c.learnApplied(g, m)
}

// ReceiveSnapshot takes the message of a snapshot whose files are complete and durable
// here, and reports whether the shard could take it. The files are in use only if an
// [InstallJob] follows.
func (c *Core) ReceiveSnapshot(from NodeID, e Envelope) bool {
	g := c.groups[e.Shard]
	if g == nil || g.frozen() || e.Message.GetType() != pb.MsgSnap || !addressed(g, from, e.Message) {
		return false
	}
	g.step(e.Message)
	c.mark(g)
	return true
}

// acceptable reports whether another node may send m to g.
func (c *Core) acceptable(g *group, from NodeID, m *pb.Message) bool {
	if !addressed(g, from, m) {
		return false
	}
	switch m.GetType() {
	case pb.MsgApp, pb.MsgAppResp, pb.MsgVote, pb.MsgVoteResp, pb.MsgPreVote, pb.MsgPreVoteResp, pb.MsgTimeoutNow:
		return true
	case pb.MsgHeartbeat, pb.MsgHeartbeatResp:
		return len(m.GetContext()) == 0 // else it is a read of raft's own
	}
	return false
}

func addressed(g *group, from NodeID, m *pb.Message) bool {
	return m.GetTo() == uint64(g.id) && ReplicaID(m.GetFrom()).Node() == from && from != g.id.Node()
}

// Unreachable reports that frames to a node are being lost.
func (c *Core) Unreachable(n NodeID) {
	for _, g := range c.order {
		if !g.leading {
			continue
		}
		g.node.WithProgress(func(id uint64, _ raft.ProgressType, _ tracker.Progress) {
			if ReplicaID(id).Node() == n {
				g.raft().ReportUnreachable(id)
			}
		})
		c.mark(g)
	}
}

// Transfer hands the leadership of a shard to another voter (raft thesis 3.10) if this
// node leads it and [Core.canTakeOver]. Commits wait meanwhile, for [transferTicks] at
// most; if the lead is gone then, they are refused. While one is under way no other
// begins: two candidates would split the votes.
func (c *Core) Transfer(shard ShardID, to ReplicaID) {
	if g := c.groups[shard]; g != nil && g.open && !g.transferring() && c.canTakeOver(g, to) {
		g.transfers, g.transferred = true, c.ticks
		g.raft().TransferLeader(uint64(to))
		c.mark(g)
	}
}

// canTakeOver reports, on a leader, whether a voter would campaign if it were asked to,
// as far as is known. One that has not applied the configuration in force may not know
// that it votes, and raft ignores the request. One that is silent may have just
// started, when its node does not speak for the shard yet. The shard would stop taking
// commits for nothing.
func (c *Core) canTakeOver(g *group, id ReplicaID) bool {
	at, known := g.reached.of(id)
	return known && at >= g.confAt && !joint(g.applied.Conf) && c.heardLately(g, id)
}

// transferTicks bounds a transfer of the lead, during which the shard takes no commits.
// It needs a few round trips and syncs; raft itself waits for an election timeout.
const transferTicks = 4

// abortTransfer ends a transfer that takes too long. The successor may still win the
// election: then this leader ends like any other.
func (c *Core) abortTransfer(g *group) {
	if g.transferring() && c.ticks-g.transferred >= transferTicks {
		g.raft().TransferLeader(uint64(g.id)) // to itself: only ends the other one
	}
}

// ErrConfChange says that a change of members was not proposed: another one is
// under way or this node does not lead.
var ErrConfChange = errors.New("members cannot be changed now")

// ChangeMembers proposes a change of a shard's members. More than one change goes
// through a joint configuration, which raft leaves by itself (raft thesis 4.3).
// [Core.Status] shows whether it happened.
func (c *Core) ChangeMembers(shard ShardID, term uint64, changes []*pb.ConfChangeSingle) error {
	g := c.groups[shard]
	if g == nil || !g.open || g.term != term || joint(g.applied.Conf) {
		return ErrConfChange
	}
	cc := &pb.ConfChangeV2{Changes: changes}
	if _, err := nextConf(g.applied.Conf, cc); err != nil {
		return err
	}
	c.mark(g)
	if err := g.raft().ProposeConfChange(cc); err != nil {
		return ErrConfChange
	}
	return nil
}

func joint(cs *pb.ConfState) bool { return len(cs.GetVotersOutgoing()) > 0 }

// Status describes one replica.
type Status struct {
	Leadership
	ID      ReplicaID
	Applied Applied
	// Match is, on the leader, the index up to which each replica's log is known to
	// agree.
	Match map[ReplicaID]uint64
	// Behind is, on the leader, about how many bytes of log each replica lacks of what
	// is applied here; [math.MaxInt] if the log does not reach back far enough.
	Behind map[ReplicaID]int
	// Last is the end of the log on disk.
	Last uint64
	// Successors are, on the leader, the voters that can take over the lead.
	// Transferring: one of them is about to.
	Successors   []ReplicaID
	Transferring bool
	// Settled, on the leader: a majority of the voters has the configuration on disk.
	// Only then may replicas go that it has removed.
	Settled bool
}

// behind is about how many bytes of log a replica lacks that matches up to an index.
func (g *group) behind(match uint64) int {
	if match >= g.applied.Index {
		return 0
	}
	lacks := g.log.after(match)
	if lacks == math.MaxInt {
		return lacks
	}
	return max(0, lacks-g.log.after(g.applied.Index))
}

// Status returns what is known of a shard's replica here.
func (c *Core) Status(shard ShardID) (Status, bool) {
	g := c.groups[shard]
	if g == nil {
		return Status{}, false
	}
	s := Status{
		Leadership: Leadership{Shard: shard, Leader: g.lead, Term: g.term, Open: g.open, Era: g.era},
		ID:         g.id, Applied: g.applied, Last: max(g.log.last, g.applied.Index),
	}
	if g.leading {
		s.Settled, s.Transferring = g.settled(), g.transferring()
		for _, v := range g.applied.Conf.GetVoters() {
			if c.canTakeOver(g, ReplicaID(v)) {
				s.Successors = append(s.Successors, ReplicaID(v))
			}
		}
		s.Match, s.Behind = make(map[ReplicaID]uint64), make(map[ReplicaID]int)
		g.node.WithProgress(func(id uint64, _ raft.ProgressType, p tracker.Progress) {
			s.Match[ReplicaID(id)] = p.Match
			s.Behind[ReplicaID(id)] = g.behind(p.Match)
		})
	}
	return s, true
}
