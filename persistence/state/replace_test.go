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
	"ssod/persistence/pace"
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
	for deadline := time.Now().Add(2 * time.Minute); s.shard(1).scanned.Load() != s.shard(1).replaced.Load(); <-time.After(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the filter is not used")
		}
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
// is asked, and neither the installation nor a flush waits for that.
func TestInstalledEntitiesAreReadBeforeTheFilterKnowsThem(t *testing.T) {
	s := open(t, options{})
	awaitFilter(t, s, 1)
	s.endLearning() // nobody scans any more
	s.mu.Lock()
	installed := make(chan error, 1)
	go func() { installed <- install(s, viewer, data.Head{Rev: 7}, func() {}) }()
	select {
	case err := <-installed:
		s.mu.Unlock()
		if err != nil {
			t.Fatal(err)
		}
	case <-time.After(2 * time.Minute):
		t.Fatal("the installation waits for who applies")
	}
	find := func(when string) {
		t.Helper()
		if h, ok, err := s.Head(1, viewer); h.Rev != 7 || !ok || err != nil {
			t.Errorf("%s: got %v %v %v", when, h, ok, err)
		}
	}
	find("before the scan")
	flushAll(t, s)
	if err := s.scanReplaced(s.known.filter.Load(), pace.Begin(), nil); err != nil {
		t.Error(err)
	}
	s.revs.drop(string(layout.AppendShard(nil, 1, layout.SubEntity)))
	find("after the scan")
	if sh := s.shard(1); !s.absent(sh, s.salt.AppendHeadKey(nil, 1, founded(1))) {
		t.Error("the filter is not used")
	}
}

// A scan that goes on while a state is being replaced may have seen the state from
// before, and so does not count.
func TestAScanDuringAnInstallationDoesNotCount(t *testing.T) {
	s := open(t, options{})
	awaitFilter(t, s, 1)
	s.endLearning()
	scan := func() {
		if err := s.scanReplaced(s.known.filter.Load(), pace.Begin(), nil); err != nil {
			t.Error(err)
		}
	}
	if err := install(s, viewer, data.Head{Rev: 7}, scan); err != nil {
		t.Fatal(err)
	}
	if h, ok, err := s.Head(1, viewer); h.Rev != 7 || !ok || err != nil {
		t.Errorf("got %v %v %v", h, ok, err)
	}
}
