package persistence

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
	pb "go.etcd.io/raft/v3/raftpb"

	"ssod/persistence/data"
	"ssod/persistence/layout"
)

// TestALogThatGrowsIsFlushed: a flush is due when the logs have grown to a part of a
// memtable.
func TestALogThatGrowsIsFlushed(t *testing.T) {
	s := openStore(t, Options{CheckEvery: time.Hour, MemTableBytes: 1 << 20})
	for _, tt := range []struct {
		name string
		size int
		due  bool
	}{{"small", 1, false}, {"large", 400 << 10, true}} {
		if err := apply(s, Commit{Entity: Entity{Kind: "k", Identity: tt.name}, State: make([]byte, tt.size)}, time.UnixMilli(1)); err != nil {
			t.Fatal(err)
		}
		due := false
		select {
		case <-s.Log().FlushDue():
			due = true
		default:
		}
		if due != tt.due {
			t.Errorf("%s: a flush is due: %v, want %v", tt.name, due, tt.due)
		}
	}
}

// TestAFullDiskKeepsTheLog: changes are refused, reads go on, and nothing is
// flushed until there is room.
func TestAFullDiskKeepsTheLog(t *testing.T) {
	mem := vfs.NewMem()
	free := func(bytes uint64) { mem.TestingSetDiskUsage(vfs.DiskUsage{AvailBytes: bytes}) }
	free(1 << 30)
	s := openStore(t, Options{FS: mem, Reserve: 1 << 20, Ballast: 100, CheckEvery: time.Hour})
	l := s.Log()
	if err := apply(s, Commit{Entity: viewer, State: []byte("kept")}, time.UnixMilli(1)); err != nil {
		t.Fatal(err)
	}
	free(100)
	if err := l.Flush(); !errors.Is(err, ErrNoSpace) {
		t.Errorf("flush: got %v, want ErrNoSpace", err)
	}
	if err := apply(s, Commit{Entity: viewer, BaseRev: 1}, time.UnixMilli(1)); !errors.Is(err, ErrNoSpace) {
		t.Errorf("change: got %v, want ErrNoSpace", err)
	}
	if h, ok, err := s.Head(1, viewer); string(h.State) != "kept" || !ok || err != nil {
		t.Errorf("read: %q %v %v", h.State, ok, err)
	}
	if at := l.Flushed(1); at != data.NewReplica(1, replicaID, voters).Truncated.Index || s.Err() != nil {
		t.Errorf("flushed up to %d, %v", at, s.Err())
	}
	free(1 << 30)
	flushAll(t, s)
	if err := apply(s, Commit{Entity: viewer, BaseRev: 1}, time.UnixMilli(1)); err != nil {
		t.Errorf("with room again: %v", err)
	}
}

// TestAStoppedNodeNeedsNoRoom: a store on a full disk closes without a failure, and
// has everything in its log; nor does a flush need more than the reserve.
func TestAStoppedNodeNeedsNoRoom(t *testing.T) {
	mem := vfs.NewMem()
	free := func(bytes uint64) { mem.TestingSetDiskUsage(vfs.DiskUsage{AvailBytes: bytes}) }
	free(1 << 30)
	fatal := func(err error) { t.Errorf("fatal: %v", err) }
	s := openStore(t, Options{FS: mem, Reserve: 1 << 20, Ballast: 100, CheckEvery: time.Hour, Fatal: fatal})
	if err := s.space.Room(1 << 30); err != nil {
		t.Errorf("a flush of much, with more free than the reserve: %v", err)
	}
	if err := apply(s, Commit{Entity: viewer, State: []byte("kept")}, time.UnixMilli(1)); err != nil {
		t.Fatal(err)
	}
	flushed := s.Log().Flushed(1)
	free(100)
	if err := s.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
	if got := s.Log().Flushed(1); got != flushed {
		t.Errorf("entries up to %d were flushed to the full disk, %d before", got, flushed)
	}
}

// TestAnOverlayDoesNotSurvive the destruction of its replica, nor a truncation
// come before a flush.
func TestAnOverlayDoesNotSurvive(t *testing.T) {
	l := logWith(t, vfs.NewMem(), 5)
	if err := l.Destroy(1, replicaID); err != nil {
		t.Fatal(err)
	}
	if _, ok, err := l.s.Head(1, viewer); ok || err != nil {
		t.Errorf("the entity is still there: %v %v", ok, err)
	}
	if got := l.s.shards.Dirty(); got != 0 {
		t.Errorf("%d bytes are counted", got)
	}
}

// TestTruncationsWaitForTheState: a log that would lose what the state lacks
// stops the node.
func TestTruncationsWaitForTheState(t *testing.T) {
	failed := false
	s := openStore(t, Options{Fatal: func(error) { failed = true }})
	if err := apply(s, Commit{Entity: viewer}, time.UnixMilli(1)); err != nil {
		t.Fatal(err)
	}
	err := s.Log().Append([]LogWrite{{Shard: 1, Truncate: Position{Index: 2, Term: 1}}}, true)
	if err == nil || !failed {
		t.Errorf("got %v, fatal %v", err, failed)
	}
}

// TestALogThatDoesNotReachTheStateIsDamaged, at either end.
func TestALogThatDoesNotReachTheStateIsDamaged(t *testing.T) {
	for name, damage := range map[string]func(*Log) error{
		"its end": func(l *Log) error {
			return l.s.db.DeleteRange(layout.EntryKey(1, 3), layout.EntryKey(1, 99), pebble.Sync)
		},
		"its beginning": func(l *Log) error {
			return l.s.db.Set(layout.LogStateKey(1, layout.LogTruncated), layout.Sealed(layout.EncodePosition(Position{Index: 9, Term: 9})), pebble.Sync)
		},
	} {
		mem := vfs.NewMem()
		l := logWith(t, mem, 6)
		if err := errors.Join(l.Flush(), damage(l), l.s.Close()); err != nil {
			t.Fatal(err)
		}
		s := openStore(t, Options{FS: mem, Shards: 2, MemTableBytes: 1 << 20})
		l = s.Log()
		_, err := l.Replicas()
		if err == nil {
			err = l.Scan(1, func(Position, int) {})
		}
		if !errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), "log of shard 1") {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

// TestAConfigurationIsFlushed, with all before it, before it is reported.
func TestAConfigurationIsFlushed(t *testing.T) {
	mem := vfs.NewCrashableMem()
	s := openStore(t, Options{FS: mem})
	if err := apply(s, Commit{Entity: viewer, State: []byte("before")}, time.UnixMilli(1)); err != nil {
		t.Fatal(err)
	}
	l := s.Log()
	e := &pb.Entry{Index: new(uint64(3)), Term: new(uint64(1))}
	conf := &pb.ConfState{Voters: []uint64{1, 2}}
	err := l.Append([]LogWrite{{Shard: 1, Entries: []*pb.Entry{e}}}, true)
	_, err2 := l.Apply([]Change{{Shard: 1, Position: Position{Index: 3, Term: 1}, Conf: conf}})
	if err := errors.Join(err, err2); err != nil {
		t.Fatal(err)
	}
	again := openStore(t, Options{FS: mem.CrashClone(vfs.CrashCloneCfg{})})
	r, err := again.log.Replica(1)
	if err != nil || r.Applied.Index != 3 || len(r.Applied.Conf.GetVoters()) != 2 {
		t.Errorf("after a crash: %+v %v", r.Applied, err)
	}
	if h, _, err := again.Head(1, viewer); string(h.State) != "before" || err != nil {
		t.Errorf("after a crash: %q %v", h.State, err)
	}
}
