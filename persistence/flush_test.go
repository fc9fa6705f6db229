package persistence

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
	pb "go.etcd.io/raft/v3/raftpb"
)

// stateOf describes what readers find of some entities.
func stateOf(t *testing.T, s *Store) string {
	t.Helper()
	var b strings.Builder
	for i := range 6 {
		e := founded(i)
		h, ok, err := s.Head(1, e)
		fmt.Fprint(&b, i, ok, h.Rev, string(h.State), err)
		err = s.Records(1, e, func(part, value []byte) bool { fmt.Fprintf(&b, " %s=%s", part, value); return true })
		fmt.Fprintln(&b, err)
	}
	after := ""
	err := s.Entities(1, "profile", "", func(identity string, h Head) bool {
		fmt.Fprintln(&b, identity, h.Rev, string(h.State))
		after = identity
		return true
	})
	fmt.Fprintln(&b, after, err)
	err = s.Entities(1, "profile", founded(2).Identity, func(identity string, _ Head) bool { fmt.Fprintln(&b, identity); return true })
	fmt.Fprintln(&b, err)
	return b.String()
}

// TestReadsAreTheSameWhereverAChangeIs: in memory, being written, or on disk.
func TestReadsAreTheSameWhereverAChangeIs(t *testing.T) {
	plain, layered := openStore(t, Options{Cluster: "one", NodeID: 1}), openStore(t, Options{Cluster: "one", NodeID: 1})
	revs := map[int]uint64{}
	for n := range 120 {
		i := (n * 7) % 6
		c := Commit{Entity: founded(i), BaseRev: revs[i], State: fmt.Append(nil, n)}
		switch {
		case revs[i] > 0 && n%11 == 0:
			c.Remove, c.State = true, nil
			revs[i] = 0
		default:
			c.Puts = []Record{{Part: fmt.Sprint("p", n%3), Value: fmt.Append(nil, n)}, {Part: "last"}}
			c.Deletes = []string{fmt.Sprint("p", (n+1)%3)}
			revs[i]++
		}
		for _, s := range []*Store{plain, layered} {
			if err := apply(s, c, time.UnixMilli(int64(n))); err != nil {
				t.Fatal(n, err)
			}
		}
		var f flush
		switch n % 5 {
		case 1:
			flushAll(t, layered)
		case 3: // in the middle of a flush
			f = flush{s: layered, batch: layered.db.NewBatch()}
			if err := f.add(1); err != nil {
				t.Fatal(err)
			}
		}
		if want, got := stateOf(t, plain), stateOf(t, layered); got != want {
			t.Fatalf("after change %d got\n%s\nwant\n%s", n, got, want)
		}
		if f.s != nil {
			if err := f.commit(); err != nil {
				t.Fatal(err)
			}
			f.end()
		}
	}
}

// TestAHotEntityIsWrittenOncePerFlush, and a commit writes nothing but its entry.
func TestAHotEntityIsWrittenOncePerFlush(t *testing.T) {
	s := openStore(t, Options{})
	before := s.stateBatches.Load()
	for rev := range uint64(1000) {
		if err := apply(s, Commit{Entity: viewer, BaseRev: rev, State: fmt.Append(nil, rev)}, time.UnixMilli(int64(rev)*10)); err != nil {
			t.Fatal(err)
		}
		if rev == 500 {
			flushAll(t, s)
		}
	}
	if got := s.stateBatches.Load() - before; got != 1 {
		t.Errorf("1,000 commits and a flush wrote %d batches of state, want that of the flush", got)
	}
	flushAll(t, s)
	if got := s.written.Load(); got != 2 {
		t.Errorf("1,000 changes in 10 s were written %d times, want once for each of two flushes", got)
	}
	if got := s.dirty.Load(); got != 0 {
		t.Errorf("%d bytes are counted as not flushed", got)
	}
}

// TestAFlushIsDue when much was applied, when the logs have grown, and after a
// while.
func TestAFlushIsDue(t *testing.T) {
	s := openStore(t, Options{CheckEvery: time.Hour, MemTableBytes: 1 << 20})
	due := func() bool {
		select {
		case <-s.Log().FlushDue():
			return true
		default:
			return false
		}
	}
	if err := apply(s, Commit{Entity: viewer}, time.UnixMilli(1)); err != nil {
		t.Fatal(err)
	}
	s.noteAge()
	if due() {
		t.Error("a flush is due at once")
	}
	s.flushedAt.Store(time.Now().Add(-flushAge).UnixNano())
	s.noteAge()
	if !due() {
		t.Error("none is due after a while")
	}
	flushAll(t, s)
	s.flushedAt.Store(0)
	s.noteAge()
	if due() {
		t.Error("a flush is due of nothing")
	}
	big := Commit{Entity: Entity{Kind: "k", Identity: "big"}, State: make([]byte, 400<<10)}
	if err := apply(s, big, time.UnixMilli(1)); err != nil {
		t.Fatal(err)
	}
	if !due() {
		t.Error("none is due although the log has grown to half a memtable")
	}
}

// TestMemoryOfWhatIsNotFlushed: a flush is due, and changes are refused, by the memory
// that the store is given for them.
func TestMemoryOfWhatIsNotFlushed(t *testing.T) {
	s := openStore(t, Options{CheckEvery: time.Hour, UnflushedBytes: 64 << 10})
	add := func(name string, bytes int) {
		t.Helper()
		if err := apply(s, Commit{Entity: Entity{Kind: "k", Identity: name}, State: make([]byte, bytes)}, time.UnixMilli(1)); err != nil {
			t.Fatal(err)
		}
	}
	add("half of it", 32<<10)
	select {
	case <-s.Log().FlushDue():
		t.Error("a flush is due of half of it")
	default:
	}
	add("the other half", 32<<10)
	select {
	case <-s.Log().FlushDue():
	default:
		t.Error("no flush is due of all of it")
	}
	if err := s.Log().Admit(1); err != nil {
		t.Errorf("while it is to be flushed: %v", err)
	}
	add("three times as much", 192<<10)
	if err := s.Log().Admit(1); !errors.Is(err, ErrBehind) {
		t.Errorf("four times as much: got %v, want ErrBehind", err)
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
	if at := l.Flushed(1); at != NewReplica(1, replicaID, voters).Truncated.Index || s.Err() != nil {
		t.Errorf("flushed up to %d, %v", at, s.Err())
	}
	free(1 << 30)
	flushAll(t, s)
	if err := apply(s, Commit{Entity: viewer, BaseRev: 1}, time.UnixMilli(1)); err != nil {
		t.Errorf("with room again: %v", err)
	}
}

// TestTooMuchIsRefused: memory is bounded although nobody flushes.
func TestTooMuchIsRefused(t *testing.T) {
	s := openStore(t, Options{})
	s.dirty.Store(s.opts.maxDirty() + 1)
	if err := s.Log().Admit(1); !errors.Is(err, ErrBehind) {
		t.Errorf("got %v, want ErrBehind", err)
	}
	s.dirty.Store(2 * s.opts.maxDirty())
	var waiting sync.WaitGroup
	done := make(chan error, 1)
	waiting.Go(func() { done <- s.awaitRoom() })
	<-s.Log().FlushDue() // it asks for a flush, and waits
	s.dirty.Store(0)
	s.room.wake()
	waiting.Wait()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// TestNobodyWaitsForRoomThatNobodyMakes: when the engine ends, who waits is told,
// and so is who comes after him, although there is room for that.
func TestNobodyWaitsForRoomThatNobodyMakes(t *testing.T) {
	s := openStore(t, Options{})
	if err := apply(s, Commit{Entity: viewer}, time.UnixMilli(1)); err != nil {
		t.Fatal(err)
	}
	dirty := s.dirty.Load()
	s.dirty.Store(2 * s.opts.maxDirty())
	var waiting sync.WaitGroup
	done := make(chan error, 1)
	waiting.Go(func() { done <- s.awaitRoom() })
	<-s.Log().FlushDue()
	s.Log().Halt()
	waiting.Wait()
	if err := <-done; !errors.Is(err, ErrClosed) {
		t.Errorf("who waits: got %v, want ErrClosed", err)
	}
	s.dirty.Store(dirty)
	if err := s.awaitRoom(); !errors.Is(err, ErrClosed) {
		t.Errorf("who comes later: got %v, want ErrClosed", err)
	}
}

// TestAFlushOfOneShardLeavesTheOthersDue: an erasure asks for it again and again.
func TestAFlushOfOneShardLeavesTheOthersDue(t *testing.T) {
	s := openStore(t, Options{})
	if err := apply(s, Commit{Entity: viewer}, time.UnixMilli(1)); err != nil {
		t.Fatal(err)
	}
	s.flushedAt.Store(0)
	if err := s.Log().Flush(2); err != nil {
		t.Fatal(err)
	}
	s.noteAge()
	select {
	case <-s.Log().FlushDue():
	default:
		t.Error("shard 1 is not flushed")
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
	flushes := s.written.Load()
	free(100)
	if err := s.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
	if got := s.written.Load(); got != flushes {
		t.Errorf("%d heads were written to the full disk", got-flushes)
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
	if got := l.s.dirty.Load(); got != 0 {
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
		"its end": func(l *Log) error { return l.s.db.DeleteRange(entryKey(1, 3), entryKey(1, 99), pebble.Sync) },
		"its beginning": func(l *Log) error {
			return l.s.db.Set(logStateKey(1, logTruncated), sealed(encodePosition(Position{Index: 9, Term: 9})), pebble.Sync)
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
	r, err := again.Log().replica(1)
	if err != nil || r.Applied.Index != 3 || len(r.Applied.Conf.GetVoters()) != 2 {
		t.Errorf("after a crash: %+v %v", r.Applied, err)
	}
	if h, _, err := again.Head(1, viewer); string(h.State) != "before" || err != nil {
		t.Errorf("after a crash: %q %v", h.State, err)
	}
}
