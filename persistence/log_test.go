package persistence

import (
	"fmt"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	pb "go.etcd.io/raft/v3/raftpb"
)

var (
	replicaID = NewReplicaID(1, 1)
	voters    = &pb.ConfState{Voters: []uint64{uint64(replicaID)}}
)

// logWith returns the log of a store that has shard 1 with n applied entries.
func logWith(t *testing.T, fs vfs.FS, n uint64) *Log {
	t.Helper()
	l := openStore(t, Options{FS: fs, Shards: 2, MemTableBytes: 1 << 20, Cluster: "one for all logs", NodeID: 1}).Log()
	if _, err := l.Create(1, replicaID, voters); err != nil {
		t.Fatal(err)
	}
	appendAndApply(t, l, 2, n/2)
	if err := l.Flush(); err != nil {
		t.Fatal(err)
	}
	appendAndApply(t, l, max(2, n/2+1), n)
	return l
}

func appendAndApply(t *testing.T, l *Log, from, to uint64) {
	t.Helper()
	for i := from; i <= to; i++ {
		w := LogWrite{Shard: 1, Hard: &pb.HardState{Term: new(i), Vote: new(uint64(1)), Commit: new(i)}}
		w.Entries = []*pb.Entry{{Index: new(i), Term: new(i), Data: fmt.Append(nil, "entry ", i)}}
		if err := l.Append([]LogWrite{w}, true); err != nil {
			t.Fatal(err)
		}
		applyTo(t, l, i, Commit{Entity: viewer, BaseRev: i - 2, State: fmt.Append(nil, i)})
	}
}

// applyTo applies a commit as entry i of shard 1.
func applyTo(t *testing.T, l *Log, i uint64, c Commit) {
	t.Helper()
	if _, err := l.Apply([]Change{{Shard: 1, Position: Position{Index: i, Term: i}, Time: i * 1000, Commits: []Commit{c}}}); err != nil {
		t.Fatal(err)
	}
}

// reopened returns what a store on fs says of shard 1, in one line.
func reopened(t *testing.T, fs vfs.FS) string {
	t.Helper()
	s := openStore(t, Options{FS: fs, Shards: 2, MemTableBytes: 1 << 20, Cluster: "one for all logs", NodeID: 1})
	defer s.Close()
	l := s.Log()
	rs, err := l.Replicas()
	if err != nil {
		t.Fatal(err)
	}
	var last uint64
	if err := l.Scan(1, func(p Position, _ int) { last = p.Index }); err != nil {
		t.Fatal(err)
	}
	h, _, err := s.Head(1, viewer)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("term %d vote %d truncated %d applied %d %d log to %d head %s", rs[0].Hard.GetTerm(), rs[0].Hard.GetVote(),
		rs[0].Truncated.Index, rs[0].Applied.Index, rs[0].Applied.Time, last, h.State)
}

// TestTheTimeOfEntriesOutlivesARestart: beside the applied position.
func TestTheTimeOfEntriesOutlivesARestart(t *testing.T) {
	mem := vfs.NewMem()
	l := logWith(t, mem, 5)
	if err := l.s.Close(); err != nil {
		t.Fatal(err)
	}
	l = openStore(t, Options{FS: mem, Shards: 2, MemTableBytes: 1 << 20}).Log()
	if got := l.s.Time(1).UnixMilli(); got != 5000 {
		t.Errorf("shard time: got %d, want 5000", got)
	}
}
