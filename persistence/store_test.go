package persistence

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cockroachdb/pebble/v2/vfs"
)

var viewer = Entity{Kind: "profile", Identity: "acme/viewer"}

// openStore opens a store on fs and closes it when the test ends.
func openStore(t testing.TB, o Options) *Store {
	t.Helper()
	if o.Dir == "" {
		o.Dir = "data"
	}
	if o.FS == nil {
		o.FS = vfs.NewMem()
	}
	o.DefaultNode = "n1"
	s, err := Open(o)
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// apply applies one commit to shard 1.
func apply(s *Store, c Commit, at time.Time) error {
	return s.Apply([]ShardCommit{{Shard: 1, Commit: &c}}, at)[0]
}

func TestApplyStoresHeadRecordsAndOutcomes(t *testing.T) {
	s := openStore(t, Options{})
	now := time.UnixMilli(1_000_000)
	c := Commit{
		Entity: viewer, Schema: 3, State: []byte("one"),
		Puts:     []Record{{"b", []byte("2")}, {"a", []byte("1")}},
		Outcomes: []Outcome{{RequestID{7}, 1, []byte("done")}},
	}
	if err := apply(s, c, now); err != nil {
		t.Fatal(err)
	}
	h, ok, err := s.Head(1, viewer)
	if err != nil || !ok {
		t.Fatalf("head: %v %v", ok, err)
	}
	if diff := cmp.Diff(Head{Rev: 1, Schema: 3, State: []byte("one")}, h); diff != "" {
		t.Errorf("head (-want +got):\n%s", diff)
	}
	got, ok, err := s.Outcome(1, viewer, RequestID{7}, 1)
	if string(got) != "done" || !ok || err != nil {
		t.Errorf("outcome: got %q %v %v", got, ok, err)
	}
	if err := apply(s, c, now); !errors.Is(err, ErrRevision) {
		t.Errorf("the same commit again: got %v, want ErrRevision", err)
	}
}
