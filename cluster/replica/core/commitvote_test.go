package core_test

import (
	"testing"

	pb "go.etcd.io/raft/v3/raftpb"
)

// hold gives node 1 an entry of node 2, at 2 in term 2, that it does not know to
// be committed.
func (b *bench) hold() {
	b.Helper()
	b.receive(2, &pb.Message{
		Type: pb.MsgApp.Enum(), Term: new(uint64(2)), Index: new(uint64(1)), LogTerm: new(uint64(1)), Commit: new(uint64(1)),
		Entries: []*pb.Entry{{Index: new(uint64(2)), Term: new(uint64(2))}},
	})
	b.settle()
	b.applied(1)
}

func (b *bench) applied(want uint64) {
	b.Helper()
	if st, _ := b.core.Status(shard); st.Applied.Index != want {
		b.Fatalf("applied %d, want %d", st.Applied.Index, want)
	}
}

// TestVotesTellWhatIsCommitted: a replica that is asked for a vote, or gets an answer,
// learns what the other has applied, if its own log has it.
func TestVotesTellWhatIsCommitted(t *testing.T) {
	for _, kind := range []pb.MessageType{pb.MsgPreVote, pb.MsgPreVoteResp, pb.MsgVote, pb.MsgVoteResp} {
		b := newBench(t, 1, 2, 3)
		b.hold()
		b.sent = nil
		told := func(index, term uint64) {
			b.receive(3, &pb.Message{
				Type: kind.Enum(), Term: new(uint64(2)), Reject: new(true), Index: new(uint64(9)), LogTerm: new(uint64(2)),
				Commit: new(index), RejectHint: new(term),
			})
			b.settle()
		}
		told(2, 1) // of another log
		told(3, 2) // not here
		b.applied(1)
		told(2, 2)
		b.applied(2)
		for _, m := range b.sent {
			if m.GetTo() == 0 {
				t.Errorf("%v: an answer to nobody: %v", kind, m)
			}
		}
	}
}

// TestVotesCarryWhatIsApplied, requests and answers.
func TestVotesCarryWhatIsApplied(t *testing.T) {
	b := newBench(t, 1, 2, 3)
	b.hold()
	b.receive(2, &pb.Message{Type: pb.MsgHeartbeat.Enum(), Term: new(uint64(2)), Commit: new(uint64(2))})
	b.settle()
	b.sent = nil
	for range 20 {
		b.core.Tick()
	}
	b.settle()
	b.receive(3, &pb.Message{Type: pb.MsgPreVote.Enum(), Term: new(uint64(9))})
	b.settle()
	seen := map[pb.MessageType]bool{}
	for _, m := range b.sent {
		seen[m.GetType()] = true
		if m.GetCommit() != 2 || m.GetRejectHint() != 2 {
			t.Errorf("%v carries %d in term %d, want 2 in term 2", m.GetType(), m.GetCommit(), m.GetRejectHint())
		}
	}
	if !seen[pb.MsgPreVote] || !seen[pb.MsgPreVoteResp] {
		t.Errorf("got %v, want a request and an answer", seen)
	}
}

// TestSettledWhenAMajorityHasTheConfiguration: until then removed replicas
// may not go.
func TestSettledWhenAMajorityHasTheConfiguration(t *testing.T) {
	b := newBench(t, 1, 2, 3)
	b.lead()
	gone := []*pb.ConfChangeSingle{{Type: pb.ConfChangeRemoveNode.Enum(), NodeId: new(uint64(id(3)))}}
	if err := b.core.ChangeMembers(shard, b.last.Term, gone); err != nil {
		t.Fatal(err)
	}
	b.answer()
	st, _ := b.core.Status(shard)
	if len(st.Applied.Conf.GetVoters()) != 2 || st.Settled {
		t.Fatalf("got %v, settled %v; want two voters, of which one has not applied it", st.Applied.Conf, st.Settled)
	}
	for _, reached := range []uint64{st.Applied.Index - 1, st.Applied.Index} {
		b.receive(2, &pb.Message{Type: pb.MsgHeartbeatResp.Enum(), Term: new(st.Term), Commit: new(reached)})
		b.settle()
		if now, _ := b.core.Status(shard); now.Settled != (reached == st.Applied.Index) {
			t.Errorf("settled %v when node 2 is at %d of %d", now.Settled, reached, st.Applied.Index)
		}
	}
}
