package core_test

import (
	"encoding/binary"
	"strings"
	"testing"
	"time"

	pb "go.etcd.io/raft/v3/raftpb"

	"ssod/cluster/replica/core"
)

// commits makes commits of 900 bytes.
func (b *bench) commits(n int, identity string) {
	b.Helper()
	for i := range n {
		done := b.propose(identity+strings.Repeat("x", 900), uint64(i))
		b.answer()
		b.want("commit", done, nil)
	}
}

// TestWhatEverybodyHasIsTruncatedSoon, what one replica lacks is kept, and the
// followers hear which is which.
func TestWhatEverybodyHasIsTruncatedSoon(t *testing.T) {
	b := newBench(t, 1, 2, 3)
	b.lead()
	b.commits(300, "a")
	if b.truncated != 0 {
		t.Errorf("truncated up to %d, and node 3 has nothing", b.truncated)
	}
	st, _ := b.core.Status(shard)
	b.receive(3, &pb.Message{Type: pb.MsgAppResp.Enum(), Term: new(st.Term), Index: new(st.Last)})
	b.core.Tick()
	b.commits(1, "b")
	if b.truncated == 0 || b.truncated > st.Last {
		t.Errorf("truncated up to %d, want an index up to %d, which everybody has", b.truncated, st.Last)
	}
	b.core.Tick()
	b.settle()
	for _, m := range b.sent {
		if m.GetType() == pb.MsgHeartbeat && m.GetRejectHint() != st.Last {
			t.Errorf("a follower hears that everybody has %d, want %d", m.GetRejectHint(), st.Last)
		}
	}
	if !b.has(pb.MsgHeartbeat) {
		t.Error("no heartbeat")
	}
}

// TestWhatIsNotFlushedIsKept, however long the log is: after a crash it is applied
// again.
func TestWhatIsNotFlushedIsKept(t *testing.T) {
	b := newBench(t, 1)
	b.lazy = true
	b.settle()
	for i := range 300 {
		done := b.propose(strings.Repeat("x", 900), uint64(i))
		b.settle()
		b.want("commit", done, nil)
	}
	at := b.store.Applied(shard).Index
	if b.truncated != 0 || b.core.Truncate(shard, at, false) {
		t.Errorf("truncated up to %d, and nothing is flushed", b.truncated)
	}
	b.flush()
	b.settle()
	if b.truncated != at {
		t.Errorf("truncated up to %d after a flush, want %d", b.truncated, at)
	}
}

func TestAFollowerTruncatesWhatItsLeaderSays(t *testing.T) {
	b := newBench(t, 1, 2, 3)
	commit := encoded(strings.Repeat("x", 900), 0)
	data := append(binary.AppendUvarint([]byte{1, 2, 1, 1}, uint64(len(commit))), commit...)
	follow := func(everywhere, last uint64) {
		b.receive(2, &pb.Message{Type: pb.MsgHeartbeat.Enum(), Term: new(uint64(2)), RejectHint: new(everywhere)})
		m := &pb.Message{Type: pb.MsgApp.Enum(), Term: new(uint64(2)), Index: new(last), LogTerm: new(min(last, 2)), Commit: new(last + 200)}
		for i := range uint64(200) {
			m.Entries = append(m.Entries, &pb.Entry{Index: new(last + 1 + i), Term: new(uint64(2)), Data: data})
		}
		b.receive(2, m)
		b.settle()
	}
	follow(0, 1)
	if b.truncated != 0 {
		t.Errorf("truncated up to %d before it hears that everybody has it", b.truncated)
	}
	follow(150, 201)
	if b.truncated == 0 || b.truncated > 150 {
		t.Errorf("truncated up to %d, want an index up to 150", b.truncated)
	}
}

// TestALogIsTruncated up to where it is applied, when no live replica lacks any of it,
// or when that is not waited for: then a snapshot brings it.
func TestALogIsTruncated(t *testing.T) {
	b := newBench(t, 1, 2, 3)
	b.lead()
	b.commits(3, "a")
	st, _ := b.core.Status(shard)
	lives := func() {
		b.receive(3, &pb.Message{Type: pb.MsgHeartbeatResp.Enum(), Term: new(st.Term)})
		b.settle()
	}
	lives()
	if b.core.Truncate(shard, st.Applied.Index+1, false) {
		t.Error("what is not applied goes")
	}
	if b.core.Truncate(shard, st.Applied.Index, true) {
		t.Error("a follower that lives is not waited for")
	}
	if !b.core.Truncate(shard, st.Applied.Index, false) {
		t.Error("a follower that lacks everything is waited for for ever")
	}
	b.settle()
	if b.truncated != st.Applied.Index || len(b.snaps) != 0 {
		t.Errorf("truncated up to %d, want %d; %d snapshots", b.truncated, st.Applied.Index, len(b.snaps))
	}
	lives()
	if len(b.snaps) != 1 {
		t.Errorf("the follower gets %d snapshots, want one", len(b.snaps))
	}
	b.commits(3, "b")
}

// TestASoleVotersLogIsLetGoOf; a start finds everything.
func TestASoleVotersLogIsLetGoOf(t *testing.T) {
	b := newBench(t, 1)
	b.settle()
	letGo := func() {
		t.Helper()
		at := b.store.Applied(shard).Index
		if !b.core.Truncate(shard, at, true) {
			t.Errorf("it is to be asked again about %d", at)
		}
		b.settle()
		if b.truncated < at {
			t.Errorf("truncated up to %d, want %d", b.truncated, at)
		}
	}
	commit := func(rev uint64) {
		t.Helper()
		done := b.propose("a", rev)
		b.settle()
		b.want("commit", done, nil)
	}
	letGo()
	commit(0)
	letGo()
	commit(1)
	b.store.Crash(0)
	rs, err := b.store.Replicas()
	if err != nil {
		t.Fatal(err)
	}
	if b.core, err = core.New(core.Config{Node: 1, Store: b.store, Now: time.Now}, rs); err != nil {
		t.Fatal(err)
	}
	b.settle()
	commit(2)
	letGo()
	commit(3)
}
