package core

import (
	"go.etcd.io/raft/v3"
	pb "go.etcd.io/raft/v3/raftpb"
)

// Raft's configurations take effect when they are applied, so a replica may hold
// the longest log and yet not stand for election: it has left, or has not heard
// that it is a voter. Whoever needs its vote is refused. What resolves it is that
// the two tell each other what they have applied (cluster/replica/DESIGN.md#members): a
// place that anybody has applied is committed for ever, and by Log Matching [3.5] so is
// everything before it in a log that has the same entry there.

// tell adds to a message what this replica has applied. Votes carry the place, in
// fields that raft does not use in them; a follower's answer to a heartbeat
// carries the index, from which the leader knows who has which configuration.
func (g *group) tell(m *pb.Message) {
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

// learn takes what another replica says it has applied, after raft has taken the
// message: who wins by it need not know.
func (c *Core) learn(g *group, m *pb.Message) {
	switch m.GetType() {
	case pb.MsgVote, pb.MsgPreVote:
		// Raft has not answered yet, and who will vote for the sender must not be
		// kept from it: see [Core.refused].
		g.request = request{
			by: ReplicaID(m.GetFrom()), log: Position{Index: m.GetIndex(), Term: m.GetLogTerm()}, applied: told(m), fresh: true,
		}
	case pb.MsgVoteResp, pb.MsgPreVoteResp:
		// Raft ends a candidacy when it hears from who leads the term, so who
		// learns something from an answer that did not decide stands again.
		if candidate := g.candidate(); g.commitTo(told(m)) && candidate {
			_ = g.move().Campaign()
		}
	case pb.MsgHeartbeatResp:
		if g.leading && m.GetTerm() == g.term {
			g.reached.set(ReplicaID(m.GetFrom()), m.GetCommit())
		}
	}
}

// told is the place that a message about a vote carries.
func told(m *pb.Message) Position {
	return Position{Index: m.GetCommit(), Term: m.GetRejectHint()}
}

// request is who asked for a vote last, where its log ends, and what it has
// applied.
type request struct {
	by      ReplicaID
	log     Position
	applied Position
	fresh   bool // of this round
}

// refused takes note that a vote is refused, which is when this replica learns
// from the request. A candidate learns nothing, because that would end its
// candidacy. If the leader has not been heard for as long as a lease lasts, what
// is learned must not pass for its voice; and who has the longer log, or learns
// something, stands itself, because the other one waits in vain.
func (c *Core) refused(g *group, by ReplicaID) {
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

// ahead reports whether this replica's log is longer than one that ends at p, in
// the sense of [3.6.1].
func (g *group) ahead(p Position) bool {
	last, err := g.log.LastIndex()
	if err != nil {
		return false
	}
	term, err := g.log.Term(last)
	return err == nil && (term > p.Term || term == p.Term && last > p.Index)
}

// commitTo tells raft that the entry at p, if the log has it, is committed, in
// the words of whoever leads the term. It reports whether that is news.
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
// configuration in force on disk. Until then the votes of those that it has left
// out may be needed.
func (g *group) settled() bool {
	n, voters := 0, g.applied.Conf.GetVoters()
	for _, v := range voters {
		if at, _ := g.reached.of(ReplicaID(v)); ReplicaID(v) == g.id || at >= g.confAt {
			n++
		}
	}
	return n > len(voters)/2 && !joint(g.applied.Conf)
}
