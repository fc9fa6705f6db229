package state

import (
	"cmp"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
	pb "go.etcd.io/raft/v3/raftpb"
	"go.uber.org/goleak"

	"ssod/persistence/data"
	"ssod/persistence/db"
	"ssod/persistence/disk"
	"ssod/persistence/layout"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var viewer = data.Entity{Kind: "profile", Identity: "acme/viewer"}

// options say how a test opens its shards; what is zero is as in a program.
type options struct {
	fs        vfs.FS
	cache     int64
	memTable  uint64
	unflushed int64
}

// store is shards of which the first has a replica, with what they lie on. There is
// no log: a test that closes them flushes first.
type store struct {
	*Shards
	dir      *disk.Directory
	stop     chan struct{}
	learning sync.WaitGroup
	once     sync.Once
}

// open opens shards and closes them when the test ends.
func open(t testing.TB, o options) *store {
	t.Helper()
	if o.fs == nil {
		o.fs = vfs.NewMem()
	}
	quiet := slog.New(slog.DiscardHandler)
	dir, err := disk.OpenDirectory(o.fs, "data", quiet)
	if err != nil {
		t.Fatal(err)
	}
	c := Config{
		Space:  disk.NewSpace(dir, disk.SpaceConfig{Reserve: 1, Logger: quiet}),
		Shards: 2, Salt: "one for all stores", Logger: quiet,
		MemTableBytes: cmp.Or(o.memTable, 64<<20), UnflushedBytes: cmp.Or(o.unflushed, 32<<20),
	}
	c.DB, err = db.Open(db.Config{
		Dir: dir.Store(), FS: o.fs, CacheBytes: cmp.Or(o.cache, 64<<20), MemTableBytes: c.MemTableBytes, Logger: quiet,
		Fatal: func(err error) { t.Error(err) },
	})
	if err != nil {
		t.Fatal(err)
	}
	s := &store{Shards: New(c), dir: dir, stop: make(chan struct{})}
	if err := s.Load(); err != nil {
		t.Fatal(err)
	}
	s.learning.Go(func() { s.Learn(s.stop) })
	t.Cleanup(func() { s.close(t) })
	s.begin(t, 1)
	return s
}

// begin makes the replica of a shard, unless it is there.
func (s *store) begin(t testing.TB, id data.ShardID) {
	t.Helper()
	if s.Applied(id).Index > 0 {
		return
	}
	first := data.NewReplica(id, data.NewReplicaID(1, 1), &pb.ConfState{Voters: []uint64{1 << 32}}).Applied
	err := s.Replace(id, func() error {
		b := s.db.NewBatch()
		defer b.Close()
		if err := layout.SetApplied(b, id, first); err != nil {
			return err
		}
		return s.db.Commit(b, pebble.Sync)
	})
	if err != nil {
		t.Fatal(err)
	}
}

// close flushes and closes the shards, once.
func (s *store) close(t testing.TB) {
	s.once.Do(func() {
		close(s.stop)
		s.learning.Wait()
		for _, err := range []error{s.Flush(), s.db.Close(), s.dir.Close()} {
			if err != nil {
				t.Error(err)
			}
		}
	})
}

// next is the place of the next entry of shard 1.
func (s *store) next() data.Position { return data.Position{Index: s.Applied(1).Index + 1, Term: 1} }

// apply applies one commit to shard 1.
func apply(s *store, c data.Commit, at time.Time) error {
	if err := s.Admit(); err != nil {
		return err
	}
	if err := c.Validate(); err != nil {
		return err
	}
	change := data.Change{Shard: 1, Position: s.next(), Time: uint64(at.UnixMilli()), Commits: []data.Commit{c}}
	rejected, err := s.Apply([]data.Change{change})
	if err == nil && rejected[0] != nil {
		err = rejected[0][0]
	}
	return err
}

// flushAll writes what was applied.
func flushAll(t testing.TB, s *store) {
	t.Helper()
	if err := s.Flush(); err != nil {
		t.Fatal(err)
	}
}
