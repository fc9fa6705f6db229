package persistence

import (
	"encoding/binary"
	"fmt"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// countKeys counts what is stored of a shard under one sub-space.
func countKeys(t *testing.T, s *Store, id ShardID, sub byte) (n int) {
	t.Helper()
	it, err := s.queue(id, appendShard(nil, id, sub))
	if err != nil {
		t.Fatal(err)
	}
	it.SetBounds(appendShard(nil, id, sub), appendShard(nil, id, sub+1))
	for it.First(); it.Valid(); it.Next() {
		n++
	}
	if err := it.Close(); err != nil {
		t.Fatal(err)
	}
	return n
}

// outcomesOf makes a commit of an entity with n outcomes of fresh requests.
func outcomesOf(e Entity, base uint64, n int) Commit {
	c := Commit{Entity: e, BaseRev: base}
	for i := range n {
		var r RequestID
		binary.BigEndian.PutUint64(r[:], base*1000+uint64(i))
		c.Outcomes = append(c.Outcomes, Outcome{r, uint32(i), []byte("result")})
	}
	return c
}

func TestTrimmingIsBoundedAndCatchesUp(t *testing.T) {
	mem := vfs.NewMem()
	s := openStore(t, Options{FS: mem})
	start := time.UnixMilli(1_000_000)
	const stored = 2000
	for i := range uint64(4) {
		if err := apply(s, outcomesOf(viewer, i, stored/4), start); err != nil {
			t.Fatal(err)
		}
	}
	later := start.Add(OutcomeWindow)
	left := stored
	for i := range uint64(20) {
		if i == 2 { // the position in the queue survives a restart
			s.Close()
			s = openStore(t, Options{FS: mem})
		}
		if err := apply(s, Commit{Entity: viewer, BaseRev: 4 + i}, later); err != nil {
			t.Fatal(err)
		}
		now := countKeys(t, s, 1, subOutcome)
		if now != countKeys(t, s, 1, subQueue) {
			t.Fatalf("step %d: %d outcomes and %d queue records", i, now, countKeys(t, s, 1, subQueue))
		}
		if want := max(0, left-trimStep); now != want {
			t.Fatalf("step %d: %d outcomes are left, want %d", i, now, want)
		}
		left = now
	}
	if left != 0 {
		t.Errorf("%d outcomes are left, want none", left)
	}
}

func TestTrimmingKeepsUpWithLargeCommits(t *testing.T) {
	s := openStore(t, Options{})
	for i := range uint64(10) {
		at := time.UnixMilli(1_000_000).Add(time.Duration(i) * OutcomeWindow / 2)
		if err := apply(s, outcomesOf(viewer, i, 1000), at); err != nil {
			t.Fatal(err)
		}
	}
	if n := countKeys(t, s, 1, subOutcome); n > 3000 {
		t.Errorf("%d outcomes are left, want those of the window", n)
	}
}

func TestOutcomesSurviveARestart(t *testing.T) {
	mem := vfs.NewMem()
	s := openStore(t, Options{FS: mem})
	start := time.UnixMilli(1_000_000)
	if err := apply(s, outcomesOf(viewer, 0, 3), start); err != nil {
		t.Fatal(err)
	}
	s.Close()
	s = openStore(t, Options{FS: mem})
	if got := s.Time(1); !got.Equal(start) {
		t.Errorf("shard time: got %v, want %v", got, start)
	}
	for i, o := range outcomesOf(viewer, 0, 3).Outcomes {
		if got, ok, err := s.Outcome(1, viewer, o.Request, o.Step); string(got) != "result" || !ok || err != nil {
			t.Errorf("outcome %d: got %q %v %v", i, got, ok, err)
		}
	}
}

// TestRecentNeverForgets checks the filter against a set, over more outcomes
// than it may keep.
func TestRecentNeverForgets(t *testing.T) {
	var r recent
	request := func(n uint64) (id RequestID) {
		binary.BigEndian.PutUint64(id[:], n*0x9e3779b97f4a7c15)
		binary.BigEndian.PutUint64(id[8:], n*0xbf58476d1ce4e5b9)
		return id
	}
	const outcomes = (recentGenerations + 2) * recentOutcomes
	for n := range uint64(outcomes) {
		r.add(request(n), 0, int64(n/1000))
	}
	now := int64(outcomes / 1000)
	for n := range uint64(outcomes) {
		if !r.maybe(request(n), 0, now) {
			t.Fatalf("outcome %d of %d is forgotten", n, outcomes)
		}
	}
	// All of it leaves the window, and the filter knows everything again.
	now += OutcomeWindow.Milliseconds() + 1
	r.add(request(outcomes), 0, now)
	r.generations[len(r.generations)-1].count = recentOutcomes
	r.add(request(outcomes+1), 0, now)
	yes := 0
	for n := range uint64(10_000) {
		if r.maybe(request(outcomes+2+n), 0, now) {
			yes++
		}
	}
	if yes > 100 || len(r.generations) > 2 {
		t.Errorf("%d of 10000 strangers may be stored, %d generations; want few", yes, len(r.generations))
	}
}

func TestRevisionsForgetOnlyWhatIsOnDisk(t *testing.T) {
	r := newRevisions()
	key := func(n int) []byte { return fmt.Appendf(nil, "%08000d", n) }
	const entities = 4 * generationBytes / 8000
	for n := range entities {
		r.put(key(n), revision{rev: uint64(n) + 1, batch: uint64(n) + 1})
	}
	for n := range entities {
		if v, ok := r.get(key(n)); !ok || v.rev != uint64(n)+1 {
			t.Fatalf("entity %d, not on disk: got %v %v", n, v.rev, ok)
		}
	}
	r.sync(entities)
	for n := range entities {
		r.put(key(entities+n), revision{rev: 1})
	}
	if bytes := r.new.bytes + r.old.bytes; bytes > 3*generationBytes {
		t.Errorf("%d bytes are kept, want about %d", bytes, 2*generationBytes)
	}
	if v, ok := r.get(key(0)); ok {
		t.Errorf("entity 0 is still known: %v", v)
	}
}

func TestRevisionsDistrustOldReads(t *testing.T) {
	r := newRevisions()
	k := []byte("k")
	epoch := r.now()
	r.put(k, revision{rev: 2})
	r.seen(k, revision{rev: 1}, epoch)
	if v, _ := r.get(k); v.rev != 2 {
		t.Errorf("a read replaced what was written: got %d, want 2", v.rev)
	}
	epoch = r.now()
	for n := range 3 * generationBytes / 128 {
		r.put(fmt.Appendf(nil, "%d", n), revision{rev: 1})
	}
	r.seen(k, revision{rev: 1}, epoch)
	if v, ok := r.get(k); ok {
		t.Errorf("a read from before two generations is trusted: %v", v)
	}
}
