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
		t.Error("no message leaves")
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

// entriesSent is how many entries were sent to a node, sent again or not.
func (b *bench) entriesSent(to core.NodeID) (n int) {
	for _, m := range b.sent {
		if m.GetType() == pb.MsgApp && core.ReplicaID(m.GetTo()) == id(to) {
			n += len(m.GetEntries())
		}
	}
	return n
}

// TestTwoEntriesAreUnderWay: what comes while they are shares the next one.
func TestTwoEntriesAreUnderWay(t *testing.T) {
	b := newBench(t, 1, 2, 3)
	b.lead()
	b.settle()
	b.sent = nil
	var done []*error
	for _, name := range []string{"a", "b", "c", "d", "e"} {
		done = append(done, b.propose(name, 0))
		b.settle()
	}
	if n := b.entriesSent(2); n != 2 {
		t.Errorf("%d entries are under way, want 2", n)
	}
	sent := b.sent
	b.sent = nil
	b.acknowledge(2, sent)
	b.settle()
	if n := b.entriesSent(2); n != 1 {
		t.Errorf("%d entries follow, want 1", n)
	}
	b.answer()
	for _, d := range done {
		b.want("a commit", d, nil)
	}
}

// TestALongQueueDoesNotWait for the entries that are under way.
func TestALongQueueDoesNotWait(t *testing.T) {
	c := newTrio(t, 1)
	sent := 0
	for i := range 20 {
		c.cores[0].Propose(&core.Proposal{Shard: 1, Term: c.terms[1], Data: make([]byte, 20<<10), Done: func(error) {}})
		for _, es := range c.cores[0].Round().Messages {
			for _, e := range es {
				sent += len(e.Message.GetEntries())
			}
		}
		if i == 2 && sent != 2*2 {
			t.Errorf("%d entries are sent to two nodes, want 4 while the queue is short", sent)
		}
	}
	if sent < 2*5 {
		t.Errorf("%d entries are sent to two nodes, want more than two each", sent)
	}
}
