package raftlog

import (
	"fmt"
	"log/slog"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	pb "go.etcd.io/raft/v3/raftpb"
	"go.uber.org/goleak"

	"ssod/persistence/data"
	"ssod/persistence/db"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var (
	replicaID = data.NewReplicaID(1, 1)
	voters    = &pb.ConfState{Voters: []uint64{uint64(replicaID)}}
)

// flushed is a state that is on disk up to an entry of each shard.
type flushed uint64

func (flushed) Applied(data.ShardID) data.Applied                  { return data.Applied{} }
func (f flushed) Flushed(data.ShardID) uint64                      { return uint64(f) }
func (flushed) Logged(int64)                                       {}
func (flushed) Replace(_ data.ShardID, replace func() error) error { return replace() }

// store is a log with the Pebble that it lies in.
type store struct {
	*Log
	failed []error
}

// open opens a log whose state is on disk up to an entry, and closes it when the test
// ends.
func open(t *testing.T, fs vfs.FS, state flushed) *store {
	t.Helper()
	s := &store{}
	d, err := db.Open(db.Config{
		Dir: "store", FS: fs, CacheBytes: 1 << 20, MemTableBytes: 1 << 20, Logger: slog.New(slog.DiscardHandler),
		Fatal: func(err error) { s.failed = append(s.failed, err) },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	if s.Log, err = Open(d, state, 0); err != nil {
		t.Fatal(err)
	}
	return s
}

// logWith returns a log of shard 1 with entries up to n.
func logWith(t *testing.T, n uint64, state flushed) *store {
	t.Helper()
	s := open(t, vfs.NewMem(), state)
	if _, err := s.Create(1, replicaID, voters); err != nil {
		t.Fatal(err)
	}
	for i := uint64(2); i <= n; i++ {
		if err := s.Append([]data.LogWrite{entry(i, i)}, true); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

// entry is the write of one entry of shard 1.
func entry(index, term uint64) data.LogWrite {
	return data.LogWrite{
		Shard: 1, Hard: &pb.HardState{Term: new(term), Vote: new(uint64(1)), Commit: new(index)},
		Entries: []*pb.Entry{{Index: new(index), Term: new(term), Data: fmt.Append(nil, "entry ", index)}},
	}
}

// terms are those of the entries that a scan finds, from the first on.
func terms(t *testing.T, s *store) (all []uint64) {
	t.Helper()
	if err := s.Scan(1, func(p data.Position, _ int) { all = append(all, p.Term) }); err != nil {
		t.Fatal(err)
	}
	return all
}
