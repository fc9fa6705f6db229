package core_test

import (
	"testing"

	pb "go.etcd.io/raft/v3/raftpb"
)

// heartbeats is how many wait for a node that stalled.
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

// TestEntriesThatCameTogetherHaveOneAnswer, which says how far the log is; that some
// do not fit is said besides.
func TestEntriesThatCameTogetherHaveOneAnswer(t *testing.T) {
	b := newBench(t, 1, 2, 3)
	app := func(index, logTerm uint64) {
		b.receive(2, &pb.Message{
			Type: pb.MsgApp.Enum(), Term: new(uint64(2)), Index: new(index), LogTerm: new(logTerm), Commit: new(uint64(1)),
			Entries: []*pb.Entry{{Index: new(index + 1), Term: new(uint64(2))}},
		})
	}
	app(1, 1)
	app(2, 2)
	app(3, 2)
	app(50, 2)
	b.settle()
	var indexes []uint64
	for _, m := range b.sent {
		if m.GetType() == pb.MsgAppResp && !m.GetReject() {
			indexes = append(indexes, m.GetIndex())
		}
	}
	if len(indexes) != 1 || indexes[0] != 4 {
		t.Errorf("acknowledged %v, want 4 once", indexes)
	}
	if n := b.count(pb.MsgAppResp); n != 2 {
		t.Errorf("%d answers, want one that refuses as well", n)
	}
}
