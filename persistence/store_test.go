package persistence

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv("SSOD_TEST_OPEN"); dir != "" {
		_, err := Open(Options{Dir: dir, DefaultNode: "n1", Logger: quiet})
		fmt.Print(err)
		return
	}
	goleak.VerifyTestMain(m)
}

var viewer = Entity{Kind: "profile", Identity: "acme/viewer"}

var quiet = slog.New(slog.DiscardHandler)

// openStore opens a store on fs and closes it when the test ends.
func openStore(t testing.TB, o Options) *Store {
	t.Helper()
	if o.Dir == "" {
		o.Dir = "data"
	}
	if o.FS == nil {
		o.FS = vfs.NewMem()
	}
	o.DefaultNode, o.Logger = "n1", quiet
	s, err := Open(o)
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func TestApplyStoresHeadRecordsAndOutcomes(t *testing.T) {
	s := openStore(t, Options{})
	now := time.UnixMilli(1_000_000)
	c := Commit{
		Entity: viewer, Schema: 3, State: []byte("one"),
		Puts:     []Record{{Part: "b", Value: []byte("2")}, {Part: "a", Value: []byte("1")}},
		Outcomes: []Outcome{{Request: RequestID{7}, Step: 1, Result: []byte("done")}},
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

func TestClosedStore(t *testing.T) {
	s := openStore(t, Options{})
	if err := apply(s, Commit{Entity: viewer}, time.UnixMilli(1)); err != nil {
		t.Fatal(err)
	}
	closed := make(chan error, 1)
	err := s.Entities(1, viewer.Kind, "", func(string, Head) bool {
		go func() { closed <- s.Close() }() // waits for the read that it comes into
		until(t, "closing", func() bool {
			_, _, err := s.Head(1, viewer)
			return errors.Is(err, ErrClosed)
		})
		return true
	})
	if err := errors.Join(err, <-closed, s.Close()); err != nil {
		t.Error(err)
	}
	_, _, err = s.Outcome(1, viewer, RequestID{}, 0)
	for what, err := range map[string]error{
		"outcome":  err,
		"apply":    apply(s, Commit{Entity: viewer, BaseRev: 1}, time.UnixMilli(1)),
		"records":  s.Records(1, viewer, func(_, _ []byte) bool { return true }),
		"entities": s.Entities(1, "k", "", func(string, Head) bool { return true }),
	} {
		if !errors.Is(err, ErrClosed) {
			t.Errorf("%s: got %v, want ErrClosed", what, err)
		}
	}
}
