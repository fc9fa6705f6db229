package core_test

import (
	"slices"
	"testing"

	pb "go.etcd.io/raft/v3/raftpb"

	"ssod/cluster/replica/core"
)

// offer delivers a snapshot of a shard's state at an index.
func (b *bench) offer(file string, index uint64) {
	b.Helper()
	m := snapshotOf(index, 5)
	m.Snapshot.Data = []byte(file)
	if !b.core.ReceiveSnapshot(2, core.Envelope{Shard: shard, Message: m}) {
		b.Fatalf("%s is not taken", file)
	}
}

// TestSnapshotsThatAreNotInstalledAreDiscarded, whatever the reason, so that none stays
// on the disk.
func TestSnapshotsThatAreNotInstalledAreDiscarded(t *testing.T) {
	for _, tt := range []struct {
		name     string
		begin    func(*bench)
		want     []string
		installs int
	}{
		{"one that is wanted", func(b *bench) { b.offer("wanted", 50) }, nil, 1},
		{"one of what is there", func(b *bench) { b.offer("old", 1) }, []string{"old"}, 0},
		{"one that another follows at once", func(b *bench) { b.offer("first", 50); b.offer("second", 60) }, []string{"first"}, 1},
		{"one of a replica that is removed", func(b *bench) { b.offer("late", 50); b.core.Remove(shard) }, []string{"late"}, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := newBench(t, 1, 2, 3)
			b.receive(2, &pb.Message{Type: pb.MsgHeartbeat.Enum(), Term: new(uint64(5))})
			b.settle()
			tt.begin(b)
			out := b.round()
			if !slices.Equal(out.Discards, tt.want) || len(out.Installs) != tt.installs {
				t.Errorf("discards %v, %d installations; want %v, %d", out.Discards, len(out.Installs), tt.want, tt.installs)
			}
		})
	}
}

// TestARemovedReplicaDiscardsTheSnapshotThatWaits for writes that are under way.
func TestARemovedReplicaDiscardsTheSnapshotThatWaits(t *testing.T) {
	b := newBench(t, 1, 2, 3)
	b.receive(2, &pb.Message{Type: pb.MsgHeartbeat.Enum(), Term: new(uint64(5))})
	writes := b.round() // of the term
	b.offer("waits", 50)
	if out := b.round(); len(out.Installs) > 0 || len(out.Discards) > 0 {
		t.Fatalf("discards %v, %d installations while a write is under way", out.Discards, len(out.Installs))
	}
	b.core.Remove(shard)
	b.core.AppendDone(writes.Append)
	if out := b.round(); !slices.Equal(out.Discards, []string{"waits"}) || len(out.Destroys) != 1 {
		t.Errorf("discards %v, %d replicas destroyed", out.Discards, len(out.Destroys))
	}
}
