package core_test

import (
	"fmt"
	"testing"

	pb "go.etcd.io/raft/v3/raftpb"

	"ssod/cluster/replica/core"
)

// Of a test's log 16 KiB are kept for followers that lag, and 256 KiB for a snapshot.
const (
	testKeep = 16 << 10
	testHold = 256 << 10
	// perKeep commits are about as long as what is kept.
	perKeep = testKeep / 1000
)

// lagging is a bench whose node 3 is about to be sent a snapshot.
func lagging(t *testing.T) *bench {
	b := newBenchWith(t, core.Config{LogKeep: testKeep, LogHold: testHold}, shard, 1, 2, 3)
	b.lead()
	b.commits(10*perKeep, "a")
	b.third(pb.MsgHeartbeatResp, 0)
	if len(b.snaps) != 1 {
		t.Fatalf("%d snapshots are asked for, want one; the log begins after %d", len(b.snaps), b.truncated)
	}
	return b
}

// third has node 3 say something.
func (b *bench) third(kind pb.MessageType, index uint64) {
	b.Helper()
	st, _ := b.core.Status(shard)
	b.receive(3, &pb.Message{Type: kind.Enum(), Term: new(st.Term), Index: new(index)})
	b.settle()
}

// sendSnapshot hands the snapshot over that was asked for, while the shard is written
// to, and returns its index.
func (b *bench) sendSnapshot(meanwhile int) (index uint64) {
	b.Helper()
	index = b.store.Applied(shard).Index
	b.core.SnapshotExported(shard, id(3), index, 1)
	b.commits(meanwhile, "sent")
	b.core.SnapshotSent(shard, id(3), true)
	b.settle()
	return index
}

// pass lets time pass, in which node 3 says nothing.
func (b *bench) pass(ticks int) {
	b.Helper()
	for range ticks {
		b.core.Tick()
		b.answer()
	}
}

// TestAShardThatIsWrittenToFasterThanItsSnapshotTravels still needs only one: the log
// behind it waits until the replica has caught up, and goes then.
func TestAShardThatIsWrittenToFasterThanItsSnapshotTravels(t *testing.T) {
	b := lagging(t)
	index := b.sendSnapshot(10 * perKeep)
	b.commits(2*perKeep, "installed")
	if b.truncated > index {
		t.Errorf("the log begins after %d, and the snapshot ends at %d", b.truncated, index)
	}
	b.third(pb.MsgAppResp, index)
	behind, _ := b.core.Status(shard)
	for at := index; at < behind.Last; at += 20 { // it is slower than the shard
		b.commits(2, fmt.Sprint(at))
		b.third(pb.MsgAppResp, at)
		b.pass(1)
	}
	if len(b.snaps) != 1 {
		t.Errorf("%d snapshots were needed, want one", len(b.snaps))
	}
	st, _ := b.core.Status(shard)
	b.third(pb.MsgAppResp, st.Last)
	b.pass(2)
	b.commits(5*perKeep, "z")
	if b.truncated <= index {
		t.Errorf("the log begins after %d, although the replica has caught up", b.truncated)
	}
}

// TestALogIsHeldWithinBounds, of bytes and of time; then another snapshot is needed.
func TestALogIsHeldWithinBounds(t *testing.T) {
	t.Run("bytes", func(t *testing.T) {
		b := lagging(t)
		index := b.sendSnapshot(2 * testHold / 1000)
		if b.truncated <= index {
			t.Errorf("the log begins after %d, and is longer than is held", b.truncated)
		}
		b.third(pb.MsgAppResp, index)
		b.pass(8)
		b.third(pb.MsgHeartbeatResp, 0)
		if len(b.snaps) != 2 {
			t.Errorf("%d snapshots are asked for, want another", len(b.snaps))
		}
	})
	t.Run("the size of the snapshot", func(t *testing.T) {
		b := lagging(t)
		index := b.store.Applied(shard).Index
		b.core.SnapshotExported(shard, id(3), index, 4*testHold)
		b.commits(2*testHold/1000, "b")
		if b.truncated > index {
			t.Errorf("the log begins after %d, and the snapshot, which ends at %d, is longer than it", b.truncated, index)
		}
	})
	t.Run("time", func(t *testing.T) {
		b := lagging(t)
		b.sendSnapshot(0)
		b.pass(601)
		b.third(pb.MsgHeartbeatResp, 0)
		if len(b.snaps) != 2 {
			t.Errorf("%d snapshots are asked for, want another", len(b.snaps))
		}
		b.core.SnapshotSent(shard, id(3), false)
		b.third(pb.MsgHeartbeatResp, 0)
		if len(b.snaps) != 3 {
			t.Errorf("%d snapshots are asked for after one has failed, want a third", len(b.snaps))
		}
	})
}

// TestBehindIsInBytes: many short entries are less than a long one.
func TestBehindIsInBytes(t *testing.T) {
	b := newBench(t, 1, 2, 3)
	b.lead()
	b.third(pb.MsgAppResp, 2)
	b.commits(100, "a")
	st, _ := b.core.Status(shard)
	if got := st.Behind[id(3)]; got < 90_000 || got > 120_000 {
		t.Errorf("a replica that lacks 100 commits of 900 bytes is %d behind", got)
	}
	if got := st.Behind[id(2)]; got != 0 {
		t.Errorf("a replica that has everything is %d behind", got)
	}
	b.third(pb.MsgAppResp, st.Last-1)
	st, _ = b.core.Status(shard)
	if got := st.Behind[id(3)]; got < 900 || got > 12_000 {
		t.Errorf("a replica that lacks the last commit is %d behind", got)
	}
}
