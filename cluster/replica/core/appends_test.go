package core_test

import (
	"testing"

	pb "go.etcd.io/raft/v3/raftpb"

	"ssod/cluster"
	"ssod/cluster/replica/core"
)

// emptyAppends counts the append messages without entries that were sent.
func (b *bench) emptyAppends() (n int) {
	for _, m := range b.sent {
		if m.GetType() == pb.MsgApp && len(m.GetEntries()) == 0 {
			n++
		}
	}
	return n
}

// acknowledge plays a node that takes all entries which the messages carry.
func (b *bench) acknowledge(from core.NodeID, sent []*pb.Message) {
	for _, m := range sent {
		if m.GetType() == pb.MsgApp && core.ReplicaID(m.GetTo()) == id(from) {
			b.receive(from, &pb.Message{Type: pb.MsgAppResp.Enum(), Term: m.Term, Index: new(m.GetIndex() + uint64(len(m.GetEntries())))})
		}
	}
}

func TestACommitIsToldWithWhatComesNext(t *testing.T) {
	b := newBench(t, 1, 2, 3)
	b.lead()
	b.settle()
	b.sent = nil
	done := b.propose("a", 0)
	b.settle()
	sent := b.sent
	b.sent = nil
	b.acknowledge(2, sent)
	b.settle()
	b.want("the commit", done, nil)
	if len(b.sent) > 0 {
		t.Errorf("sent %v, want nothing", b.sent)
	}
	b.core.Tick()
	b.core.Tick()
	b.settle()
	for _, m := range b.sent {
		if m.GetType() == pb.MsgHeartbeat && core.ReplicaID(m.GetTo()) == id(2) && m.GetCommit() != b.store.Applied(shard).Index {
			t.Errorf("the heartbeat says %d, want %d", m.GetCommit(), b.store.Applied(shard).Index)
		}
	}
	if !b.has(pb.MsgHeartbeat) {
		t.Error("no heartbeat")
	}
}

func TestTheMetaShardsCommitsAreToldAtOnce(t *testing.T) {
	b := newBenchOf(t, cluster.MetaShard, 1, 2, 3)
	b.lead()
	b.settle()
	b.sent = nil
	b.propose("a", 0)
	b.settle()
	sent := b.sent
	b.sent = nil
	b.acknowledge(2, sent)
	b.settle()
	if b.emptyAppends() == 0 {
		t.Error("nobody is told")
	}
}

// TestLostEntriesAreSentAgain: with nothing else to do, when a heartbeat is
// answered.
func TestLostEntriesAreSentAgain(t *testing.T) {
	for _, since := range []int{0, 1} { // ticks after a heartbeat
		b := newBench(t, 1, 2, 3)
		b.lead()
		b.answer()
		for range since {
			b.core.Tick()
			b.answer()
		}
		b.propose("a", 0)
		b.settle()
		b.sent = nil // lost
		var asked int
		for asked = 0; asked < 10 && b.emptyAppends() == 0; asked++ {
			b.sent = nil
			b.core.Tick()
			b.settle()
			for _, m := range b.sent {
				if m.GetType() == pb.MsgHeartbeat && core.ReplicaID(m.GetTo()) == id(2) {
					b.receive(2, &pb.Message{Type: pb.MsgHeartbeatResp.Enum(), Term: m.Term})
				}
			}
			b.settle()
		}
		if asked > 4 {
			t.Errorf("lost %d ticks after a heartbeat: found after %d ticks, want 4", since, asked)
		}
	}
}
