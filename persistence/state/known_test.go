package state

import (
	"fmt"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"ssod/persistence/data"
)

func founded(i int) data.Entity {
	return data.Entity{Kind: "profile", Identity: fmt.Sprint("viewer-", i)}
}

// found creates entities from..to-1 and returns when they are on disk.
func found(t *testing.T, s *store, from, to int) {
	t.Helper()
	for i := from; i < to; i++ {
		if err := apply(s, data.Commit{Entity: founded(i), State: []byte("x")}, time.Now()); err != nil {
			t.Fatal(err)
		}
	}
}

// awaitFilter returns when a complete filter of at least the capacity is used.
func awaitFilter(t *testing.T, s *store, capacity int64) {
	t.Helper()
	for deadline := time.Now().Add(2 * time.Minute); ; <-time.After(time.Millisecond) {
		if f := s.known.filter.Load(); f.complete.Load() && f.capacity() >= capacity {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("no complete filter for %d entities", capacity)
		}
	}
}

func headKey(s *store, i int) []byte { return s.salt.AppendHeadKey(nil, 1, founded(i)) }

// Whatever the filter is doing, an entity that exists is never denied; most of
// those that do not exist are.
func TestFilterOfEntities(t *testing.T) {
	fs := vfs.NewMem()
	s := open(t, options{fs: fs})
	awaitFilter(t, s, knownRoom)
	s.mu.Lock()
	small := newKnownFilter(64)
	small.complete.Store(true)
	s.known.filter.Store(small)
	s.mu.Unlock()
	found(t, s, 0, 300) // outgrows the small filter while it is used
	awaitFilter(t, s, 512)
	check := func(s *store) {
		t.Helper()
		denied := 0
		for i := range 300 {
			if _, ok, err := s.Head(1, founded(i)); !ok || err != nil {
				t.Fatalf("entity %d: got %v, %v, want it", i, ok, err)
			}
			if _, ok, err := s.Head(1, founded(i+1000)); ok || err != nil {
				t.Fatalf("entity %d: got %v, %v, want none", i+1000, ok, err)
			}
			if s.known.absent(headKey(s, i+1000)) {
				denied++
			}
		}
		if denied < 270 {
			t.Errorf("the filter denied %d of 300 entities that do not exist", denied)
		}
	}
	check(s)
	s.close(t)
	s = open(t, options{fs: fs})
	awaitFilter(t, s, knownRoom)
	check(s)
}

// restless is due all the time and counts its rests.
type restless struct {
	store *store
	rests int
	open  int64 // iterators over tables during a rest
}

func (r *restless) Due() bool { return true }

func (r *restless) Rest(<-chan struct{}, time.Duration, time.Duration) bool {
	r.rests++
	r.open = max(r.open, r.store.db.Metrics().TableIters)
	return true
}

// TestTheScanOfHeadsGivesWay: it rests as often as it is told to, holds no table
// meanwhile, and misses nobody.
func TestTheScanOfHeadsGivesWay(t *testing.T) {
	const entities = 2000
	s := open(t, options{})
	storeCold(t, s, entities)
	f, r := newKnownFilter(knownRoom), &restless{store: s}
	if err := s.scanHeads(f, r, nil); err != nil {
		t.Fatal(err)
	}
	if r.rests < entities/glanceEvery || r.open > 0 {
		t.Errorf("%d rests with %d tables in use, want %d at least, with none", r.rests, r.open, entities/glanceEvery)
	}
	for i := range entities {
		if !f.maybe(headKey(s, i)) {
			t.Fatalf("%v is not known after the scan", founded(i))
		}
	}
	if !f.complete.Load() {
		t.Error("the filter is not complete after the scan")
	}
}
