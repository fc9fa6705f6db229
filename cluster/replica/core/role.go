package core

import (
	"go.etcd.io/raft/v3"
	pb "go.etcd.io/raft/v3/raftpb"
)

// role is raft's in a group. Reading it costs four allocations, so it is read again
// only after something that can change it.
type role struct {
	term  uint64
	lead  ReplicaID // 0: unknown
	state raft.StateType
}

// is returns raft's present role.
func (g *group) is() role {
	if g.moved {
		s := g.node.BasicStatus()
		g.role, g.moved = role{s.GetTerm(), ReplicaID(s.Lead), s.RaftState}, false
	}
	return g.role
}

// move returns the group's raft for what may change its role.
func (g *group) move() *raft.RawNode {
	g.moved = true
	return g.raft()
}

// step hands raft a message. An error means that it is stale, which is right.
func (g *group) step(m *pb.Message) {
	if g.moved || g.moves(m) {
		_ = g.move().Step(m)
	} else {
		_ = g.raft().Step(m)
	}
}

// moves reports whether a message may change raft's role. Raft ignores those of an
// earlier term; in its own term no answer does and nothing from the leader that it
// follows.
func (g *group) moves(m *pb.Message) bool {
	r, term := g.role, m.GetTerm()
	switch m.GetType() {
	case pb.MsgAppResp, pb.MsgHeartbeatResp, pb.MsgStorageAppendResp, pb.MsgStorageApplyResp:
		return term > r.term
	case pb.MsgApp, pb.MsgHeartbeat:
		follows := r.state == raft.StateFollower && r.lead == ReplicaID(m.GetFrom())
		return term > r.term || term == r.term && !follows
	}
	return true
}

// leads reports whether raft leads in the given term.
func (g *group) leads(term uint64) bool {
	r := g.is()
	return r.state == raft.StateLeader && r.term == term
}

func (g *group) candidate() bool {
	s := g.is().state
	return s == raft.StateCandidate || s == raft.StatePreCandidate
}

// transferring reports whether raft is handing the lead to another voter, which only
// [Core.Transfer] starts.
func (g *group) transferring() bool {
	g.transfers = g.transfers && g.node.BasicStatus().LeadTransferee != raft.None
	return g.transfers
}

// tally is a number for each of a few replicas.
type tally []struct {
	id ReplicaID
	n  uint64
}

func (t tally) of(id ReplicaID) (n uint64, ok bool) {
	for i := range t {
		if t[i].id == id {
			return t[i].n, true
		}
	}
	return 0, false
}

func (t *tally) set(id ReplicaID, n uint64) {
	for i := range *t {
		if (*t)[i].id == id {
			(*t)[i].n = n
			return
		}
	}
	*t = append(*t, struct {
		id ReplicaID
		n  uint64
	}{id, n})
}
