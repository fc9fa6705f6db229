package core_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	pb "go.etcd.io/raft/v3/raftpb"

	"ssod/cluster/replica/core"
)

// TestAloneCommitsGoPastTheLog: all that waits is one write, at a place that
// stays the same, and the log is empty.
func TestAloneCommitsGoPastTheLog(t *testing.T) {
	b := newBench(t, 1)
	b.settle()
	first, second, stale := b.propose("a", 0), b.propose("b", 0), b.propose("a", 0)
	out := b.round()
	w := out.Append.Writes[0]
	if w.Unlogged == nil || len(w.Unlogged.Commits) != 3 || len(w.Entries) > 0 || w.Truncate != w.Unlogged.Position || !out.Append.Sync {
		t.Fatalf("got %+v, want three commits without an entry, synced", w)
	}
	b.want("before it is on disk", first, errPending)
	b.finish(out)
	b.settle()
	b.want("first", first, nil)
	b.want("second", second, nil)
	b.want("on an old revision", stale, core.ErrRejected)

	third := b.propose("a", 1)
	out = b.round()
	if next := out.Append.Writes[0]; next.Unlogged.Position != w.Unlogged.Position || next.Truncate.Index > 0 {
		t.Errorf("got %+v, want the same place", next)
	}
	b.finish(out)
	b.settle()
	b.want("third", third, nil)
	b.core.Barrier(&core.Barrier{Shard: shard, Term: b.last.Term, Done: func(err error) { *third = err }})
	b.settle()
	b.want("read", third, nil)
	if err := b.store.Scan(shard, func(p core.Position, _ int) { t.Errorf("the log has an entry at %d", p.Index) }); err != nil {
		t.Error(err)
	}
}

// TestAfterAStartUnloggedCommitsAreThere: and the log goes on behind them.
func TestAfterAStartUnloggedCommitsAreThere(t *testing.T) {
	b := newBench(t, 1)
	b.settle()
	for rev := range uint64(3) {
		done := b.propose("a", rev)
		b.settle()
		b.want("commit", done, nil)
	}
	at := b.store.Applied(shard)
	b.store.Crash(0)
	rs, err := b.store.Replicas()
	if err != nil {
		t.Fatal(err)
	}
	if b.core, err = core.New(core.Config{Node: 1, Store: b.store, Now: time.Now}, rs); err != nil {
		t.Fatal(err)
	}
	b.settle()
	if s, _ := b.core.Status(shard); !s.Open || s.Applied.Index != at.Index+1 || s.Term != at.Term+1 {
		t.Errorf("got %+v, want the leader of the next term at %d", s, at.Index+1)
	}
	done := b.propose("a", 3)
	b.settle()
	b.want("after it", done, nil)
}

// TestOneUnloggedBatchAtATime: what comes meanwhile waits in the queue.
func TestOneUnloggedBatchAtATime(t *testing.T) {
	b := newBench(t, 1)
	b.settle()
	first := b.propose("a", 0)
	out := b.round()
	second := b.propose("a", 1)
	b.core.Tick()
	if more := b.round(); more.Append != nil {
		t.Errorf("got %+v beside the write before", more.Append)
	}
	b.finish(out)
	b.want("first", first, nil)
	b.want("second", second, errPending)
	b.settle()
	b.want("second", second, nil)
}

func (b *bench) addLearner(n core.NodeID) {
	b.Helper()
	change := &pb.ConfChangeSingle{Type: pb.ConfChangeAddLearnerNode.Enum(), NodeId: new(uint64(id(n)))}
	if err := b.core.ChangeMembers(shard, b.last.Term, []*pb.ConfChangeSingle{change}); err != nil {
		b.Fatal(err)
	}
}

// TestInCompanyTheLogCounts: as soon as a member is to be added commits are
// entries, behind a place that a write under way was for, and whoever joins
// gets that place in a snapshot.
func TestInCompanyTheLogCounts(t *testing.T) {
	b := newBench(t, 1)
	b.settle()
	first := b.propose("a", 0)
	write := b.round()
	place := write.Append.Writes[0].Unlogged.Position
	b.addLearner(2)
	second := b.propose("a", 1)
	entries := b.round()
	want := []uint64{place.Index + 1, place.Index + 2}
	var got []uint64
	for _, e := range entries.Append.Writes[0].Entries {
		got = append(got, e.GetIndex())
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("entries (-want +got):\n%s", diff)
	}
	b.finish(write)
	b.finish(entries)
	b.settle()
	b.want("first", first, nil)
	b.want("second", second, nil)
	if s, _ := b.core.Status(shard); s.Applied.Index != place.Index+2 {
		t.Errorf("applied to %d, want %d", s.Applied.Index, place.Index+2)
	}
	for len(b.snaps) == 0 && len(b.sent) > 0 {
		m := b.sent[len(b.sent)-1]
		b.sent = nil
		b.receive(2, &pb.Message{Type: pb.MsgAppResp.Enum(), Term: m.Term, Index: m.Index, Reject: new(true), RejectHint: new(uint64(0))})
		b.settle()
	}
	if len(b.snaps) == 0 {
		t.Error("the learner gets no snapshot")
	}
}

// TestNoUnloggedCommitsWhileASnapshotLeaves: it may be of the place that
// further commits would belong to.
func TestNoUnloggedCommitsWhileASnapshotLeaves(t *testing.T) {
	b := newBench(t, 1)
	b.settle()
	b.addLearner(2)
	b.settle()
	b.receive(2, &pb.Message{Type: pb.MsgAppResp.Enum(), Term: new(b.last.Term), Index: new(uint64(2)), Reject: new(true), RejectHint: new(uint64(0))})
	b.settle()
	if len(b.snaps) != 1 {
		t.Fatalf("got %d snapshots", len(b.snaps))
	}
	remove := &pb.ConfChangeSingle{Type: pb.ConfChangeRemoveNode.Enum(), NodeId: new(uint64(id(2)))}
	if err := b.core.ChangeMembers(shard, b.last.Term, []*pb.ConfChangeSingle{remove}); err != nil {
		t.Fatal(err)
	}
	b.settle()
	commit := func(rev uint64) core.LogWrite {
		done := b.propose("a", rev)
		out := b.round()
		b.finish(out)
		b.settle()
		b.want("commit", done, nil)
		return out.Append.Writes[0]
	}
	if w := commit(0); w.Unlogged != nil || len(w.Entries) != 1 {
		t.Errorf("got %+v, want an entry", w)
	}
	b.core.SnapshotSent(shard, id(2), false)
	b.settle()
	if w := commit(1); w.Unlogged == nil {
		t.Errorf("got %+v, want none any more", w)
	}
}

// TestTheTermEndsDuringAnUnloggedWrite: nobody knows how it ends, but it is
// applied, and the next term begins behind it.
func TestTheTermEndsDuringAnUnloggedWrite(t *testing.T) {
	b := newBench(t, 1)
	b.settle()
	done := b.propose("a", 0)
	write := b.round()
	term := b.last.Term
	b.receive(3, &pb.Message{Type: pb.MsgHeartbeat.Enum(), Term: new(term + 3)})
	out := b.round()
	b.want("after the term", done, core.ErrUnknown)
	b.finish(write)
	b.finish(out)
	b.settle()
	for range 40 {
		b.core.Tick()
		b.settle()
	}
	if !b.last.Open || b.last.Term <= term {
		t.Fatalf("got %+v, want a later term", b.last)
	}
	again := b.propose("a", 1)
	b.settle()
	b.want("on its revision", again, nil)
}
