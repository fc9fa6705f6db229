package state

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2"
	pb "go.etcd.io/raft/v3/raftpb"

	"ssod/persistence/data"
	"ssod/persistence/layout"
)

// install puts a head in place of all that shard 1 has on disk, as entry 30, and calls
// between when half of that is there.
func install(s *store, e data.Entity, h data.Head, between func()) error {
	return s.Replace(1, func() error {
		span := layout.ShardSpan(1)
		if err := s.db.DeleteRange(span.Start, span.End, pebble.Sync); err != nil {
			return err
		}
		between()
		err := s.db.Set(s.salt.AppendHeadKey(nil, 1, e), layout.AppendHead(nil, e.Identity, h, false), pebble.Sync)
		between()
		b := s.db.NewBatch()
		defer b.Close()
		a := data.Applied{Position: data.Position{Index: 30, Term: 1}, Time: 30_000, Conf: &pb.ConfState{Voters: []uint64{1 << 32}}}
		return errors.Join(err, layout.SetApplied(b, 1, a), s.db.Commit(b, pebble.Sync))
	})
}

// TestInstalledEntitiesAreKnown: what came with a snapshot is not denied by the
// filter of entities.
func TestInstalledEntitiesAreKnown(t *testing.T) {
	s := open(t, options{})
	awaitFilter(t, s, 1)
	if err := install(s, viewer, data.Head{Rev: 7, State: []byte("came with it")}, func() {}); err != nil {
		t.Fatal(err)
	}
	if !s.known.filter.Load().complete.Load() || s.shard(1).unscanned.Load() {
		t.Error("the filter is not used")
	}
	if h, ok, err := s.Head(1, viewer); h.Rev != 7 || !ok || err != nil {
		t.Errorf("got %v %v %v", h, ok, err)
	}
	if err := apply(s, data.Commit{Entity: viewer, BaseRev: 7}, time.UnixMilli(31_000)); err != nil {
		t.Error(err)
	}
}

// TestNobodyReadsHalfAnInstallation: whoever reads during one waits, or finds the
// shard as it was before or as it is afterwards.
func TestNobodyReadsHalfAnInstallation(t *testing.T) {
	s := open(t, options{})
	for _, e := range []data.Entity{viewer, founded(1)} {
		if err := apply(s, data.Commit{Entity: e, State: []byte("before")}, time.UnixMilli(1)); err != nil {
			t.Fatal(err)
		}
		flushAll(t, s) // the first is on disk, the second in a layer then
	}
	if err := apply(s, data.Commit{Entity: founded(1), BaseRev: 1, State: []byte("before")}, time.UnixMilli(1)); err != nil {
		t.Fatal(err)
	}
	seen := map[string]int{}
	look := func() {
		if sh := s.shard(1); !sh.mu.TryRLock() {
			return // readers wait
		} else {
			sh.mu.RUnlock()
		}
		var all []string
		if err := s.Entities(1, "profile", "", func(id string, h data.Head) bool {
			all = append(all, fmt.Sprintf("%s %s", id, h.State))
			return true
		}); err != nil {
			t.Error(err)
		}
		slices.Sort(all)
		seen[strings.Join(all, ", ")]++
	}
	look()
	if err := install(s, founded(2), data.Head{Rev: 1, State: []byte("after")}, look); err != nil {
		t.Fatal(err)
	}
	look()
	before := viewer.Identity + " before, " + founded(1).Identity + " before"
	after := founded(2).Identity + " after"
	for got := range seen {
		if got != before && got != after {
			t.Errorf("seen: %s", got)
		}
	}
	if seen[before] == 0 || seen[after] == 0 {
		t.Errorf("seen: %v", seen)
	}
}

// TestInstalledEntitiesAreReadBeforeTheFilterKnowsThem: until they are in it, the disk
// is asked.
func TestInstalledEntitiesAreReadBeforeTheFilterKnowsThem(t *testing.T) {
	s := open(t, options{})
	awaitFilter(t, s, 1)
	installed := make(chan error, 1)
	s.mu.Lock() // nobody scans meanwhile
	go func() { installed <- install(s, viewer, data.Head{Rev: 7}, func() {}) }()
	for deadline := time.Now().Add(2 * time.Minute); s.Applied(1).Index != 30; <-time.After(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Error("the state is not replaced")
			break
		}
	}
	if h, ok, err := s.Head(1, viewer); h.Rev != 7 || !ok || err != nil {
		t.Errorf("before the scan: got %v %v %v", h, ok, err)
	}
	s.mu.Unlock()
	if err := <-installed; err != nil {
		t.Error(err)
	}
}
