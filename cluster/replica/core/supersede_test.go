package core_test

import (
	"testing"

	pb "go.etcd.io/raft/v3/raftpb"
)

// heartbeats are as many as wait for a node that stood still.
const heartbeats = 50

func (b *bench) count(kind pb.MessageType) (n int) {
	for _, m := range b.sent {
		if m.GetType() == kind {
			n++
		}
	}
	return n
}

// TestHeartbeatsThatWaitedHaveOneAnswer.
func TestHeartbeatsThatWaitedHaveOneAnswer(t *testing.T) {
	b := newBench(t, 1, 2, 3)
	for range heartbeats {
		b.receive(2, &pb.Message{Type: pb.MsgHeartbeat.Enum(), Term: new(uint64(2))})
	}
	b.settle()
	if n := b.count(pb.MsgHeartbeatResp); n != 1 {
		t.Errorf("%d answers, want 1", n)
	}
	b.sent = nil
	b.receive(2, &pb.Message{Type: pb.MsgHeartbeat.Enum(), Term: new(uint64(2))})
	b.settle()
	if n := b.count(pb.MsgHeartbeatResp); n != 1 {
		t.Errorf("%d answers in the next round, want 1", n)
	}
}

// TestWhatAFollowerMissedIsSentOnce, however many of its answers wait.
func TestWhatAFollowerMissedIsSentOnce(t *testing.T) {
	b := newBench(t, 1, 2, 3)
	b.lead()
	b.commit("a")
	b.commit("b")
	b.sent = nil
	for range heartbeats { // node 3 has not been heard since it was elected
		b.receive(3, &pb.Message{Type: pb.MsgHeartbeatResp.Enum(), Term: new(b.last.Term)})
	}
	b.settle()
	entries := 0
	for _, m := range b.sent {
		if m.GetType() == pb.MsgApp && m.GetTo() == uint64(id(3)) {
			entries += len(m.GetEntries())
		}
	}
	if entries == 0 || entries > 3 {
		t.Errorf("%d entries sent, want those that it misses", entries)
	}
	if n := b.count(pb.MsgApp); n != 1 {
		t.Errorf("%d messages, want 1", n)
	}
}
