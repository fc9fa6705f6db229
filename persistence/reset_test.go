package persistence

import (
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	pb "go.etcd.io/raft/v3/raftpb"
)

// After the time of a shard is set back outcomes of its future are kept for the
// window, in heads as in records, and then go: also when the store was opened again
// meanwhile. New outcomes are trimmed as ever.
func TestOutcomesOfTheFutureAreKeptForTheWindow(t *testing.T) {
	const right, wrong = uint64(1_700_000_000_000), uint64(1_735_000_000_000)
	window := uint64(OutcomeWindow.Milliseconds())
	fs := vfs.NewMem()
	open := func() *Store {
		s, err := Open(Options{Dir: "data", FS: fs, DefaultNode: "n1", Shards: 2})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	s := open()
	defer func() { s.Close() }()
	id, entity, other := NewReplicaID(1, 1), Entity{Kind: "k", Identity: "a"}, Entity{Kind: "k", Identity: "b"}
	log := s.Log()
	if _, err := log.Create(1, id, &pb.ConfState{Voters: []uint64{uint64(id)}}); err != nil {
		t.Fatal(err)
	}
	index := firstPosition.Index
	apply := func(c Change) {
		t.Helper()
		index++
		c.Shard, c.Position = 1, Position{Index: index, Term: 1}
		rejected, err := log.Apply([]Change{c})
		if err != nil || rejected[0] != nil {
			t.Fatal(err, rejected)
		}
	}
	commit := func(e Entity, base, now uint64, size int) {
		t.Helper()
		apply(Change{Time: now, Commits: []Commit{{Entity: e, BaseRev: base, Outcomes: []Outcome{{Request: RequestID{byte(base + 1)}, Result: make([]byte, size)}}}}})
	}
	want := func(what string, e Entity, request byte, kept bool) {
		t.Helper()
		if _, ok, err := s.Outcome(1, e, RequestID{request}, 0); err != nil || ok != kept {
			t.Errorf("%s: outcome %d of %s is kept: %v, %v; want %v", what, request, e.Identity, ok, err, kept)
		}
	}
	commit(entity, 0, wrong, 10)
	commit(other, 0, wrong, maxHeldBytes) // has no room in the head
	apply(Change{Time: right, Reset: true})
	if got := s.Time(1); !got.Equal(time.UnixMilli(int64(right))) {
		t.Errorf("shard time after the reset: %v", got)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open()
	log = s.Log()
	if got := s.Time(1); !got.Equal(time.UnixMilli(int64(right))) {
		t.Errorf("shard time after a restart: %v", got)
	}
	commit(Entity{Kind: "k", Identity: "c"}, 0, right+window-1, 10)
	want("within the window", entity, 1, true)
	want("within the window", other, 1, true)
	commit(Entity{Kind: "k", Identity: "d"}, 0, right+window, 10)
	want("after the window", entity, 1, false)
	want("after the window", other, 1, false)
	want("after the window", Entity{Kind: "k", Identity: "c"}, 1, true)
	if got := s.shards[1].reset.Load(); got != 0 {
		t.Errorf("the reset is remembered although nothing is left of before it: %d", got)
	}
}
