package core_test

import (
	"slices"
	"testing"

	pb "go.etcd.io/raft/v3/raftpb"

	"ssod/cluster/replica/core"
)

// TestWhoseWordPasses: that of another voter which follows in the very term, where two
// are a majority.
func TestWhoseWordPasses(t *testing.T) {
	three := newBench(t, 1, 2, 3)
	three.lead()
	term := three.last.Term
	for name, tt := range map[string]struct {
		by   core.Followed
		want bool
	}{
		"a voter":              {core.Followed{Shard: shard, Term: term, Replica: id(2)}, true},
		"another voter":        {core.Followed{Shard: shard, Term: term, Replica: id(3)}, true},
		"in an earlier term":   {core.Followed{Shard: shard, Term: term - 1, Replica: id(2)}, false},
		"in a later term":      {core.Followed{Shard: shard, Term: term + 1, Replica: id(2)}, false},
		"of another shard":     {core.Followed{Shard: shard + 1, Term: term, Replica: id(2)}, false},
		"of an earlier life":   {core.Followed{Shard: shard, Term: term, Replica: id(2) + 1}, false},
		"of no voter":          {core.Followed{Shard: shard, Term: term, Replica: id(4)}, false},
		"of the leader itself": {core.Followed{Shard: shard, Term: term, Replica: id(1)}, false},
		"of nobody":            {core.Followed{Shard: shard, Term: term}, false},
	} {
		if got := three.last.Vouched(tt.by); got != tt.want {
			t.Errorf("%s: got %v, want %v", name, got, tt.want)
		}
	}
	if by, ok := three.last.Vouch(); ok {
		t.Errorf("the leader vouches: %+v", by)
	}
	five := newBench(t, 1, 2, 3, 4, 5)
	five.played = []core.NodeID{2, 3}
	five.lead()
	if five.last.Vouched(core.Followed{Shard: shard, Term: five.last.Term, Replica: id(2)}) {
		t.Error("two of five pass for a majority")
	}
}

// TestAWordInAJointConfiguration passes where the two are a majority of both sides.
func TestAWordInAJointConfiguration(t *testing.T) {
	b := newBench(t, 1, 2, 3)
	b.lead()
	changes := []*pb.ConfChangeSingle{
		{Type: pb.ConfChangeRemoveNode.Enum(), NodeId: new(uint64(id(3)))},
		{Type: pb.ConfChangeAddNode.Enum(), NodeId: new(uint64(id(4)))},
	}
	if err := b.core.ChangeMembers(shard, b.last.Term, changes); err != nil {
		t.Fatal(err)
	}
	b.settle()
	st, _ := b.core.Status(shard)
	b.receive(2, &pb.Message{Type: pb.MsgAppResp.Enum(), Term: new(b.last.Term), Index: new(st.Last)})
	b.settle()
	if st, _ = b.core.Status(shard); len(st.Applied.Conf.GetVotersOutgoing()) != 3 {
		t.Fatalf("not in a joint configuration: %+v", st)
	}
	if want := []core.ReplicaID{id(2)}; !slices.Equal(b.last.Seconds, want) {
		t.Errorf("with %v it is a majority, want %v", b.last.Seconds, want)
	}
}

// TestWhoVouches: a replica that follows a leader in the term, until it hears of a later one or is
// frozen for a snapshot.
func TestWhoVouches(t *testing.T) {
	begin := func() *bench {
		b := newBench(t, 1, 2, 3)
		b.receive(2, &pb.Message{Type: pb.MsgHeartbeat.Enum(), Term: new(uint64(5))})
		b.settle()
		if by, ok := b.last.Vouch(); !ok || by != (core.Followed{Shard: shard, Term: 5, Replica: id(1)}) {
			t.Fatalf("a follower vouches with %+v, %v", by, ok)
		}
		return b
	}
	for name, end := range map[string]func(*bench){
		"it campaigns itself": func(b *bench) {
			b.receive(2, &pb.Message{Type: pb.MsgTimeoutNow.Enum(), Term: new(uint64(5))})
		},
		"it is frozen": func(b *bench) {
			if !b.core.ReceiveSnapshot(2, core.Envelope{Shard: shard, Message: snapshotOf(50, 5)}) {
				t.Fatal("the snapshot is not taken")
			}
		},
		"it is removed": func(b *bench) { b.core.Remove(shard) },
	} {
		b := begin()
		end(b)
		b.settle()
		if by, ok := b.last.Vouch(); ok {
			t.Errorf("%s: it vouches with %+v", name, by)
		}
	}
	b := begin()
	b.receive(3, &pb.Message{Type: pb.MsgHeartbeat.Enum(), Term: new(uint64(6))})
	b.settle()
	if by, ok := b.last.Vouch(); !ok || by.Term != 6 {
		t.Errorf("of the next leader: %+v, %v", by, ok)
	}
}
