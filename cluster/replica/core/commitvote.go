package core

import (
	"go.etcd.io/raft/v3"
	pb "go.etcd.io/raft/v3/raftpb"
)

// Raft's configurations take effect when they are applied, so the replica with the
// longest log may not campaign: it was removed, or does not know yet that it is a
// voter. A candidate that needs its vote is refused for ever. To resolve that, votes
// carry what their sender has applied (cluster/replica/DESIGN.md#members): an applied position is
// committed, and by Log Matching [3.5] so is all before it in any log that has the
// same entry there.

// addApplied adds to a message what this replica has applied: a position to votes,
// in fields that raft does not use in them; an index to a follower's heartbeat
// response, from which the leader knows which configuration it has.
func (g *group) addApplied(m *pb.Message) {
	switch {
	case aboutVote(m):
		m.Commit, m.RejectHint = new(g.applied.Index), new(g.applied.Term)
	case m.GetType() == pb.MsgHeartbeatResp:
		m.Commit = new(g.applied.Index)
	}
}

func aboutVote(m *pb.Message) bool {
	switch m.GetType() {
	case pb.MsgVote, pb.MsgVoteResp, pb.MsgPreVote, pb.MsgPreVoteResp:
		return true
	}
	return false
}

// learnApplied takes what the sender has applied, after raft has taken the message:
// a candidate that the vote makes leader does not need it.
func (c *Core) learnApplied(g *group, m *pb.Message) {
	switch m.GetType() {
	case pb.MsgVote, pb.MsgPreVote:
		// Raft has not answered yet, and a replica that is about to grant its vote
		// must not be kept from it: see [Core.voteRefused].
		g.request = request{
			by: ReplicaID(m.GetFrom()), log: Position{Index: m.GetIndex(), Term: m.GetLogTerm()}, applied: appliedOf(m), fresh: true,
		}
	case pb.MsgVoteResp, pb.MsgPreVoteResp:
		// commitTo ends a candidacy. If this answer did not decide it, begin again.
		if candidate := g.candidate(); g.commitTo(appliedOf(m)) && candidate {
			_ = g.move().Campaign()
		}
	case pb.MsgHeartbeatResp:
		if g.leading && m.GetTerm() == g.term {
			g.reached.set(ReplicaID(m.GetFrom()), m.GetCommit())
		}
	}
}

// appliedOf is the position that a message about a vote carries.
func appliedOf(m *pb.Message) Position {
	return Position{Index: m.GetCommit(), Term: m.GetRejectHint()}
}

// request is the last request for a vote: where the candidate's log ends and what it
// has applied.
type request struct {
	by      ReplicaID
	log     Position
	applied Position
	fresh   bool // of this round
}

// voteRefused learns from a request that is being refused. A candidate does not,
// because that would end its candidacy. If the leader has been silent for an election
// timeout, it is forgotten first, or commitTo would count as a sign of life from it;
// and a replica with the longer log, or one that learned something, campaigns
// itself, because the other one cannot win.
func (c *Core) voteRefused(g *group, by ReplicaID) {
	if g.request.by != by || g.leading || g.candidate() {
		return
	}
	if c.hearsLeader(g) {
		g.commitTo(g.request.applied)
		return
	}
	_ = g.move().ForgetLeader()
	if g.commitTo(g.request.applied) || g.ahead(g.request.log) {
		_ = g.move().Campaign()
	}
}

// ahead reports whether this replica's log is more up to date than one that ends at
// p, in the sense of [3.6.1].
func (g *group) ahead(p Position) bool {
	term, err := g.log.Term(g.log.last)
	return err == nil && (term > p.Term || term == p.Term && g.log.last > p.Index)
}

// commitTo tells raft, with a heartbeat in the name of the leader, that the entry at
// p is committed if the log has it. It reports whether that is news.
func (g *group) commitTo(p Position) bool {
	s := g.node.BasicStatus()
	if s.RaftState == raft.StateLeader || p.Index <= s.GetCommit() {
		return false
	}
	if term, err := g.log.Term(p.Index); err != nil || term != p.Term {
		return false
	}
	g.step(&pb.Message{
		Type: pb.MsgHeartbeat.Enum(), To: new(uint64(g.id)), From: new(s.Lead), Term: new(s.GetTerm()), Commit: new(p.Index),
	})
	return true
}

// settled reports, on a leader, whether a majority of the voters has the
// configuration in force on disk. Until then the votes of those that it has removed
// may be needed.
func (g *group) settled() bool {
	n, voters := 0, g.applied.Conf.GetVoters()
	for _, v := range voters {
		if at, _ := g.reached.of(ReplicaID(v)); ReplicaID(v) == g.id || at >= g.confAt {
			n++
		}
	}
	return n > len(voters)/2 && !joint(g.applied.Conf)
}
