package core_test

import (
	"testing"

	pb "go.etcd.io/raft/v3/raftpb"

	"ssod/cluster/replica/core"
)

func TestVoteRequestWaitsForTheOwnVote(t *testing.T) {
	b := newBench(t, 1, 2, 3)
	for range 20 {
		b.core.Tick()
	}
	b.settle()
	if !b.has(pb.MsgPreVote) {
		t.Fatal("no election")
	}
	b.receive(2, &pb.Message{Type: pb.MsgPreVoteResp.Enum(), Term: new(uint64(2))})
	out := b.round()
	if b.has(pb.MsgVote) {
		t.Error("MsgVote left before the own vote was written")
	}
	if out.Append == nil || !out.Append.Sync || out.Append.Writes[0].Hard.GetVote() != uint64(id(1)) {
		t.Fatalf("the own vote is not to be synced: %+v", out.Append)
	}
	b.finish(out)
	b.settle()
	if !b.has(pb.MsgVote) {
		t.Error("MsgVote did not leave after it")
	}
}

func TestALostConnectionStartsAnElection(t *testing.T) {
	b := newBench(t, 1, 2, 3)
	b.receive(2, &pb.Message{Type: pb.MsgHeartbeat.Enum(), Term: new(uint64(2))})
	b.settle()
	b.core.ConnectionLost(3) // does not lead
	b.settle()
	if b.has(pb.MsgPreVote) {
		t.Fatal("an election although the leader is there")
	}
	b.core.ConnectionLost(2)
	b.settle()
	if !b.has(pb.MsgPreVote) {
		t.Error("no election")
	}
	// Who has not heard of the loss yet does not answer: it is asked again.
	b.elections(true, false, false)
}

// elections wants elections in the next ticks, or none.
func (b *bench) elections(want ...bool) {
	b.Helper()
	for i, want := range want {
		b.sent = nil
		b.core.Tick()
		b.settle()
		if got := b.has(pb.MsgPreVote); got != want {
			b.Errorf("tick %d: election %v, want %v", i+1, got, want)
		}
	}
}

// TestTheNextVoterStandsALittleLater: the first may be behind, or gone as well.
func TestTheNextVoterStandsALittleLater(t *testing.T) {
	b := newBench(t, 1, 2, 3)
	b.receive(3, &pb.Message{Type: pb.MsgHeartbeat.Enum(), Term: new(uint64(2))})
	b.settle()
	b.core.ConnectionLost(3)
	b.settle()
	if !b.has(pb.MsgPreVote) {
		t.Error("the first does not stand at once")
	}

	late := newBench(t, 1, 0, 3) // node 0 is before this one
	late.receive(3, &pb.Message{Type: pb.MsgHeartbeat.Enum(), Term: new(uint64(2))})
	late.settle()
	late.core.ConnectionLost(3)
	late.settle()
	if late.has(pb.MsgPreVote) {
		t.Error("the second stands at once")
	}
	late.elections(false, true, true, false)
}

func TestAnElectionThatIsUnderWayIsNotStartedAgain(t *testing.T) {
	b := newBench(t, 1, 2, 3)
	b.receive(2, &pb.Message{Type: pb.MsgHeartbeat.Enum(), Term: new(uint64(2))})
	b.settle()
	b.core.ConnectionLost(2)
	b.settle()
	b.receive(3, &pb.Message{Type: pb.MsgPreVoteResp.Enum(), Term: new(uint64(3))})
	b.settle()
	if !b.has(pb.MsgVote) {
		t.Fatalf("no candidate: %v", b.sent)
	}
	b.sent = nil
	b.core.Tick()
	b.settle()
	if len(b.sent) > 0 {
		t.Errorf("the votes are under way and it sends %v", b.sent)
	}
}

// TestCommitsWaitForAHandOver: who asks again meets a leader then, one of two.
func TestCommitsWaitForAHandOver(t *testing.T) {
	b := newBench(t, 1, 2, 3)
	b.lead()
	b.core.Transfer(shard, id(2))
	b.settle()
	if !b.has(pb.MsgTimeoutNow) {
		t.Fatal("the heir is not told to stand")
	}
	gone := b.propose("a", 0)
	b.settle()
	b.want("meanwhile", gone, errPending)
	b.receive(2, &pb.Message{Type: pb.MsgHeartbeat.Enum(), Term: new(b.last.Term + 1)})
	b.settle()
	b.want("when another leads", gone, core.ErrRefused)

	late := newBench(t, 1, 2, 3)
	late.lead()
	late.core.Transfer(shard, id(2))
	late.settle()
	kept := late.propose("a", 0)
	for range 10 { // an election timeout; the heir is asleep
		late.core.Tick()
		late.settle()
		late.answer()
	}
	late.answer()
	late.want("when the hand-over was given up", kept, nil)
}
