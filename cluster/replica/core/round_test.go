package core_test

import (
	"errors"
	"testing"

	pb "go.etcd.io/raft/v3/raftpb"

	"ssod/cluster/replica/core"
)

func TestEntriesLeaveBeforeTheOwnSyncAndCountAfterIt(t *testing.T) {
	b := newBench(t, 1, 2, 3)
	b.lead()
	done := b.propose("a", 0)
	out := b.round()
	if !b.has(pb.MsgApp) {
		t.Error("MsgApp waits for the leader's disk")
	}
	b.want("before anybody has it", done, errPending)
	b.finish(out)
	b.settle()
	b.want("on the leader's disk alone", done, errPending)
	b.answer()
	b.want("on two of three", done, nil)
}

func TestCommitsOfOneRoundShareAnEntry(t *testing.T) {
	b := newBench(t, 1, 2, 3)
	b.lead()
	first, second, stale := b.propose("a", 0), b.propose("b", 0), b.propose("a", 0)
	out := b.round()
	if n := len(out.Append.Writes[0].Entries); n != 1 {
		t.Errorf("got %d entries, want 1", n)
	}
	b.finish(out)
	b.answer()
	b.want("first", first, nil)
	b.want("second", second, nil)
	b.want("on an old revision", stale, core.ErrRejected)
}

func TestTheEndOfATermAnswersEverything(t *testing.T) {
	b := newBench(t, 1, 2, 3)
	b.lead()
	flying := b.propose("a", 0)
	b.settle()
	queued := b.propose("b", 0)
	read := errPending
	b.core.Barrier(&core.Barrier{Shard: shard, Term: b.last.Term, Done: func(err error) { read = err }})
	b.receive(3, &pb.Message{Type: pb.MsgHeartbeat.Enum(), Term: new(b.last.Term + 1)})
	b.settle()
	b.want("in the log", flying, core.ErrUnknown)
	b.want("queued", queued, core.ErrRefused)
	b.want("read", &read, core.ErrLost)
	if b.last.Open || b.last.Leader != id(3) {
		t.Errorf("got %+v, want node 3 as leader", b.last)
	}
	b.want("afterwards", b.propose("c", 0), core.ErrRefused)
}

func TestBarrierNeedsAMajority(t *testing.T) {
	b := newBench(t, 1, 2, 3)
	b.lead()
	read := errPending
	b.core.Barrier(&core.Barrier{Shard: shard, Term: b.last.Term, Done: func(err error) { read = err }})
	b.settle()
	b.want("alone", &read, errPending)
	b.answer()
	b.want("with node 2", &read, nil)
}

func TestAFullQueueRefuses(t *testing.T) {
	b := newBench(t, 1)
	b.settle()
	big := b.propose(string(make([]byte, 700)), 0)
	b.want("over the limit", b.propose(string(make([]byte, 700)), 0), core.ErrRefused)
	b.settle()
	b.want("within it", big, nil)
}

func TestStrangeMessagesAreDropped(t *testing.T) {
	b := newBench(t, 1, 2, 3)
	for _, m := range []*pb.Message{
		{Type: pb.MsgProp.Enum(), Entries: []*pb.Entry{{Data: []byte("x")}}},
		{Type: pb.MsgReadIndex.Enum(), Entries: []*pb.Entry{{}}},
		{Type: pb.MsgHup.Enum()},
		{Type: pb.MsgStorageAppendResp.Enum()},
		{Type: pb.MsgHeartbeatResp.Enum(), Context: []byte("question")},
		{Type: pb.MsgSnap.Enum()},
	} {
		b.receive(2, m)
	}
	wrong := &pb.Message{Type: pb.MsgVote.Enum(), From: new(uint64(id(2))), To: new(uint64(id(1))), Term: new(uint64(9))}
	b.core.Receive(3, []core.Envelope{{Shard: shard, Message: wrong}, {Shard: 7, Message: wrong}}) // of another node, of no shard
	b.settle()
	if len(b.sent) > 0 || b.last.Term > 1 {
		t.Errorf("got answers %v, term %d", b.sent, b.last.Term)
	}
}

// follow makes node 1 follow node 2 in term 2 with an entry of the given data
// committed, and returns what its application says.
func (b *bench) follow(data []byte) error {
	b.Helper()
	b.receive(2, &pb.Message{
		Type: pb.MsgApp.Enum(), Term: new(uint64(2)), Index: new(uint64(1)), LogTerm: new(uint64(1)), Commit: new(uint64(2)),
		Entries: []*pb.Entry{{Index: new(uint64(2)), Term: new(uint64(2)), Data: data}},
	})
	for b.core.Pending() {
		out := b.round()
		if out.Apply != nil {
			return out.Apply.Run(b.store)
		}
		b.finish(out)
	}
	b.Fatal("nothing was applied")
	return nil
}

func TestEntriesOfAnotherFormatStopTheNode(t *testing.T) {
	if err := newBench(t, 1, 2, 3).follow([]byte{0x80, 0, 0, 0}); !errors.Is(err, core.ErrEntryVersion) {
		t.Errorf("a newer version: got %v", err)
	}
	if err := newBench(t, 1, 2, 3).follow([]byte{1, 0}); !errors.Is(err, core.ErrEntryFormat) {
		t.Errorf("a damaged entry: got %v", err)
	}
}

func TestAnEntryOfAnotherTermIsVoid(t *testing.T) {
	b := newBench(t, 1, 2, 3)
	commit := encoded("a", 0)
	data := append([]byte{1, 1, 1, 1, byte(len(commit))}, commit...) // version, proposer term 1, time, count
	if err := b.follow(data); err != nil {
		t.Fatal(err)
	}
	if h, ok := b.store.Head(shard, core.Entity{Kind: "k", Identity: "a"}); ok {
		t.Errorf("it left %+v", h)
	}
	if at, _ := b.store.Digest(shard); at.Index != 2 {
		t.Errorf("applied up to %d, want 2", at.Index)
	}
}

// TestAcknowledgementsWaitForTheDisk: a follower's acknowledgement leaves
// when the log is on disk.
func TestAcknowledgementsWaitForTheDisk(t *testing.T) {
	b := newBench(t, 1, 2, 3)
	b.receive(2, &pb.Message{
		Type: pb.MsgApp.Enum(), Term: new(uint64(2)), Index: new(uint64(1)), LogTerm: new(uint64(1)), Commit: new(uint64(1)),
		Entries: []*pb.Entry{{Index: new(uint64(2)), Term: new(uint64(2))}},
	})
	out := b.round()
	if b.has(pb.MsgAppResp) || out.Append == nil || !out.Append.Sync {
		t.Fatalf("acknowledged before it was synced: %v, %+v", b.sent, out.Append)
	}
	b.finish(out)
	b.settle()
	if !b.has(pb.MsgAppResp) {
		t.Error("not acknowledged after it")
	}
}

func TestALeaderWithoutAMajorityRefusesSoon(t *testing.T) {
	b := newBench(t, 1, 2, 3)
	b.lead()
	for range 5 {
		b.core.Tick()
		b.answer()
	}
	b.want("while node 2 answers", b.propose("a", 0), errPending)
	b.settle()
	for range 6 { // half a second; raft gives up after a second
		b.core.Tick()
		b.settle()
	}
	if !b.last.Open {
		t.Fatal("the leadership has ended")
	}
	b.want("when nobody answers", b.propose("b", 0), core.ErrRefused)
	read := errPending
	b.core.Barrier(&core.Barrier{Shard: shard, Term: b.last.Term, Done: func(err error) { read = err }})
	b.want("a barrier", &read, core.ErrLost)
	b.receive(2, &pb.Message{Type: pb.MsgHeartbeatResp.Enum(), Term: new(b.last.Term)})
	b.core.Tick()
	b.want("when node 2 is back", b.propose("b", 0), errPending)
}

// TestALeaderWithoutQuorumAsksForATakeover: the others may hear it, and
// would follow it as long as it leads.
func TestALeaderWithoutQuorumAsksForATakeover(t *testing.T) {
	b := newBench(t, 1, 2, 3)
	b.lead()
	b.want("a commit that node 2 has", b.commit("a"), nil)
	b.sent = nil
	var asked []core.NodeID
	var at []int
	for tick := 1; b.last.Open && tick < 30; tick++ {
		b.core.Tick()
		b.settle()
		for _, m := range b.sent {
			if m.GetType() == pb.MsgTimeoutNow {
				asked, at = append(asked, core.ReplicaID(m.GetTo()).Node()), append(at, tick)
			}
		}
		b.sent = nil
	}
	if len(asked) < 2 || asked[0] != 2 || asked[1] != 3 {
		t.Fatalf("asked %v, want 2, which has more of the log, and then 3", asked)
	}
	if at[0] > 10 {
		t.Errorf("asked after %d ticks", at[0])
	}

	heard := newBench(t, 1, 2, 3)
	heard.lead()
	for range 30 {
		heard.core.Tick()
		heard.settle()
		if heard.has(pb.MsgTimeoutNow) {
			t.Fatal("asked although a majority is heard")
		}
		heard.answer()
	}
}

// TestHeartbeatsOfAllShardsLeaveTogether: whenever their leaders were elected.
func TestHeartbeatsOfAllShardsLeaveTogether(t *testing.T) {
	for elected := range 4 {
		b := newBench(t, 1, 2, 3)
		for range elected {
			b.core.Tick()
		}
		b.lead()
		for tick := elected + 20; tick < elected+40; tick++ {
			b.sent = nil
			b.core.Tick()
			b.settle()
			if even := tick%2 == 1; b.has(pb.MsgHeartbeat) != even {
				t.Fatalf("elected at %d: heartbeat %v after tick %d", elected, !even, tick+1)
			}
			b.answer()
		}
	}
}

// TestASlowDiskDelaysNeitherHeartbeatsNorReads: while the leader's disk
// stalls, ticks send heartbeats and barriers are answered.
func TestASlowDiskDelaysNeitherHeartbeatsNorReads(t *testing.T) {
	b := newBench(t, 1, 2, 3)
	b.lead()
	done := b.propose("a", 0)
	stuck := []core.Round{b.round()}
	b.sent = nil
	for range 2 {
		b.core.Tick()
		stuck = append(stuck, b.round())
	}
	if !b.has(pb.MsgHeartbeat) {
		t.Error("no heartbeat")
	}
	b.sent = nil
	read := errPending
	b.core.Barrier(&core.Barrier{Shard: shard, Term: b.last.Term, Done: func(err error) { read = err }})
	stuck = append(stuck, b.round())
	b.confirm(b.asked[len(b.asked)-1])
	stuck = append(stuck, b.round())
	b.want("barrier", &read, nil)
	b.want("commit", done, errPending)

	// The others' disks go on: the entry is committed, and cannot be applied
	// here. Nobody heard that it was, so a read need not wait for it.
	entry := stuck[0].Append.Writes[0].Entries[0]
	for _, n := range []core.NodeID{2, 3} {
		b.receive(n, &pb.Message{Type: pb.MsgAppResp.Enum(), Term: new(b.last.Term), Index: entry.Index})
	}
	b.sent = nil
	read = errPending
	b.core.Barrier(&core.Barrier{Shard: shard, Term: b.last.Term, Done: func(err error) { read = err }})
	stuck = append(stuck, b.round())
	b.confirm(b.asked[len(b.asked)-1])
	stuck = append(stuck, b.round())
	b.want("barrier behind a committed entry", &read, nil)
	b.want("commit", done, errPending)
	for _, out := range stuck {
		b.finish(out)
	}
	b.answer()
	b.want("commit, when the disk goes on", done, nil)
}

// TestBarriersOfVotersThatLeave: a barrier that waits for voters that are
// removed is answered when this node is alone.
func TestBarriersOfVotersThatLeave(t *testing.T) {
	b := newBench(t, 1, 2, 3)
	b.lead()
	b.deaf = true
	read := errPending
	b.core.Barrier(&core.Barrier{Shard: shard, Term: b.last.Term, Done: func(err error) { read = err }})
	b.answer()
	b.want("while there are others", &read, errPending)
	var changes []*pb.ConfChangeSingle
	for _, n := range []core.NodeID{2, 3} {
		changes = append(changes, &pb.ConfChangeSingle{Type: pb.ConfChangeRemoveNode.Enum(), NodeId: new(uint64(id(n)))})
	}
	if err := b.core.ChangeMembers(shard, b.last.Term, changes); err != nil {
		t.Fatal(err)
	}
	b.answer()
	if !b.last.Sole {
		t.Fatalf("not alone: %+v", b.last)
	}
	b.want("alone", &read, nil)
}

// TestTheCommitIndexCostsNoWrite: what is committed since is found again, so a
// hard state is only written with a new term or vote.
func TestTheCommitIndexCostsNoWrite(t *testing.T) {
	b := newBench(t, 1, 2, 3)
	b.lead()
	for rev := range uint64(3) {
		done := b.propose("a", rev)
		out := b.round()
		if out.Append == nil || len(out.Append.Writes[0].Entries) != 1 || out.Append.Writes[0].Hard != nil {
			t.Fatalf("commit %d: got %+v, want an entry alone", rev, out.Append)
		}
		b.finish(out)
		b.answer()
		b.want("commit", done, nil)
	}
}
