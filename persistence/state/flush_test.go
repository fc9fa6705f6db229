package state

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"ssod/persistence/data"
)

// stateOf describes what readers find of some entities.
func stateOf(t *testing.T, s *store) string {
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
	err := s.Entities(1, "profile", "", func(identity string, h data.Head) bool {
		fmt.Fprintln(&b, identity, h.Rev, string(h.State))
		after = identity
		return true
	})
	fmt.Fprintln(&b, after, err)
	err = s.Entities(1, "profile", founded(2).Identity, func(identity string, _ data.Head) bool { fmt.Fprintln(&b, identity); return true })
	fmt.Fprintln(&b, err)
	return b.String()
}

// TestReadsAreTheSameWhereverAChangeIs: in memory, being written, or on disk.
func TestReadsAreTheSameWhereverAChangeIs(t *testing.T) {
	plain, layered := open(t, options{}), open(t, options{})
	revs := map[int]uint64{}
	for n := range 120 {
		i := (n * 7) % 6
		c := data.Commit{Entity: founded(i), BaseRev: revs[i], State: fmt.Append(nil, n)}
		switch {
		case revs[i] > 0 && n%11 == 0:
			c.Remove, c.State = true, nil
			revs[i] = 0
		default:
			c.Puts = []data.Record{{Part: fmt.Sprint("p", n%3), Value: fmt.Append(nil, n)}, {Part: "last"}}
			c.Deletes = []string{fmt.Sprint("p", (n+1)%3)}
			revs[i]++
		}
		for _, s := range []*store{plain, layered} {
			if err := apply(s, c, time.UnixMilli(int64(n))); err != nil {
				t.Fatal(n, err)
			}
		}
		var f flush
		switch n % 5 {
		case 1:
			flushAll(t, layered)
		case 3: // in the middle of a flush
			f = flush{s: layered.Shards, batch: layered.db.NewBatch()}
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
	s := open(t, options{})
	before := s.stateBatches.Load()
	for rev := range uint64(1000) {
		if err := apply(s, data.Commit{Entity: viewer, BaseRev: rev, State: fmt.Append(nil, rev)}, time.UnixMilli(int64(rev)*10)); err != nil {
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
	s := open(t, options{memTable: 1 << 20})
	due := func() bool {
		select {
		case <-s.FlushDue():
			return true
		default:
			return false
		}
	}
	if err := apply(s, data.Commit{Entity: viewer}, time.UnixMilli(1)); err != nil {
		t.Fatal(err)
	}
	s.Tick()
	if due() {
		t.Error("a flush is due at once")
	}
	s.flushedAt.Store(time.Now().Add(-flushAge).UnixNano())
	s.Tick()
	if !due() {
		t.Error("none is due after a while")
	}
	flushAll(t, s)
	s.flushedAt.Store(0)
	s.Tick()
	if due() {
		t.Error("a flush is due of nothing")
	}
	s.Logged(400 << 10)
	if !due() {
		t.Error("none is due although the log has grown to half a memtable")
	}
}

// TestMemoryOfWhatIsNotFlushed: a flush is due, and changes are refused, by the memory
// that the store is given for them.
func TestMemoryOfWhatIsNotFlushed(t *testing.T) {
	s := open(t, options{unflushed: 64 << 10})
	add := func(name string, bytes int) {
		t.Helper()
		if err := apply(s, data.Commit{Entity: data.Entity{Kind: "k", Identity: name}, State: make([]byte, bytes)}, time.UnixMilli(1)); err != nil {
			t.Fatal(err)
		}
	}
	add("half of it", 32<<10)
	select {
	case <-s.FlushDue():
		t.Error("a flush is due of half of it")
	default:
	}
	add("the other half", 32<<10)
	select {
	case <-s.FlushDue():
	default:
		t.Error("no flush is due of all of it")
	}
	if err := s.Admit(); err != nil {
		t.Errorf("while it is to be flushed: %v", err)
	}
	add("three times as much", 192<<10)
	if err := s.Admit(); !errors.Is(err, ErrBehind) {
		t.Errorf("four times as much: got %v, want ErrBehind", err)
	}
}

// TestTooMuchIsRefused: memory is bounded although nobody flushes.
func TestTooMuchIsRefused(t *testing.T) {
	s := open(t, options{})
	s.dirty.Store(s.config.maxDirty() + 1)
	if err := s.Admit(); !errors.Is(err, ErrBehind) {
		t.Errorf("got %v, want ErrBehind", err)
	}
	s.dirty.Store(2 * s.config.maxDirty())
	var waiting sync.WaitGroup
	done := make(chan error, 1)
	waiting.Go(func() { done <- s.awaitRoom() })
	<-s.FlushDue() // it asks for a flush, and waits
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
	s := open(t, options{})
	if err := apply(s, data.Commit{Entity: viewer}, time.UnixMilli(1)); err != nil {
		t.Fatal(err)
	}
	dirty := s.dirty.Load()
	s.dirty.Store(2 * s.config.maxDirty())
	var waiting sync.WaitGroup
	done := make(chan error, 1)
	waiting.Go(func() { done <- s.awaitRoom() })
	<-s.FlushDue()
	s.Halt()
	waiting.Wait()
	if err := <-done; !errors.Is(err, data.ErrClosed) {
		t.Errorf("who waits: got %v, want data.ErrClosed", err)
	}
	s.dirty.Store(dirty)
	if err := s.awaitRoom(); !errors.Is(err, data.ErrClosed) {
		t.Errorf("who comes later: got %v, want data.ErrClosed", err)
	}
}

// TestAFlushOfOneShardLeavesTheOthersDue: an erasure asks for it again and again.
func TestAFlushOfOneShardLeavesTheOthersDue(t *testing.T) {
	s := open(t, options{})
	if err := apply(s, data.Commit{Entity: viewer}, time.UnixMilli(1)); err != nil {
		t.Fatal(err)
	}
	s.flushedAt.Store(0)
	if err := s.Flush(2); err != nil {
		t.Fatal(err)
	}
	s.Tick()
	select {
	case <-s.FlushDue():
	default:
		t.Error("shard 1 is not flushed")
	}
}
