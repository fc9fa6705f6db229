package persistence

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"ssod/persistence/backup"
)

// told is what a pinned shard says, frame by frame.
func told(t *testing.T, p *Pinned) string {
	t.Helper()
	r, err := p.Shard(1)
	if err != nil {
		t.Fatal(err)
	}
	var all bytes.Buffer
	w, err := backup.NewWriter(&all, &backup.Header{Shards: 1})
	if err == nil {
		_, err = io.Copy(w, r)
	}
	if err = errors.Join(err, w.End(time.UnixMilli(1))); err != nil {
		t.Fatal(err)
	}
	in, err := backup.NewReader(&all)
	if err != nil {
		t.Fatal(err)
	}
	var said []string
	for {
		f, err := in.Next()
		switch {
		case errors.Is(err, backup.ErrIncomplete): // there is no meta shard
			return strings.Join(said, " ")
		case err != nil:
			t.Fatal(err)
		case f.GetEntity() != nil:
			e := f.GetEntity()
			said = append(said, fmt.Sprintf("%s/%s@%d=%s", e.GetKind(), e.GetIdentity(), e.GetRev(), e.GetState()[:min(8, len(e.GetState()))]))
		case f.GetRecord() != nil:
			said = append(said, fmt.Sprintf("+%s=%s", f.GetRecord().GetPart(), f.GetRecord().GetValue()))
		}
	}
}

// What is pinned is what was applied at that moment, memory included, whatever comes
// afterwards and however much there is.
func TestWhatIsPinnedStays(t *testing.T) {
	s := openStore(t, Options{})
	at := time.UnixMilli(1000)
	commit := func(c Commit) {
		t.Helper()
		if err := apply(s, c, at); err != nil {
			t.Fatal(err)
		}
	}
	commit(Commit{Entity: viewer, Schema: 3, State: []byte("one"), Puts: []Record{{Part: "a", Value: []byte("1")}, {Part: "b", Value: []byte("2")}}})
	flushAll(t, s)
	commit(Commit{Entity: viewer, BaseRev: 1, State: []byte("two"), Deletes: []string{"a"}})
	p, err := s.Pin([]ShardID{1})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	commit(Commit{Entity: viewer, BaseRev: 2, State: []byte("three"), Puts: []Record{{Part: "b", Value: []byte("3")}}})
	flushAll(t, s)
	for i := range 40 { // more than is read at a time
		commit(Commit{Entity: Entity{Kind: "large", Identity: fmt.Sprint(i)}, State: bytes.Repeat([]byte("x"), 64<<10)})
	}
	if got, want := told(t, p), "profile/"+viewer.Identity+"@2=two +b=2"; got != want {
		t.Errorf("pinned: got %q, want %q", got, want)
	}
	later, err := s.Pin([]ShardID{1})
	if err != nil {
		t.Fatal(err)
	}
	defer later.Close()
	got := told(t, later)
	if want := "profile/" + viewer.Identity + "@3=three +b=3"; !strings.Contains(got, want) || strings.Count(got, "large/") != 40 {
		t.Errorf("pinned later: got %q, want %q among 40 others", got, want)
	}
}

// What was erased is not gone as long as a backup has it.
func TestScrubWaitsForWhatIsPinned(t *testing.T) {
	s := openStore(t, Options{})
	if err := apply(s, Commit{Entity: viewer, State: []byte("one")}, time.UnixMilli(1000)); err != nil {
		t.Fatal(err)
	}
	p, err := s.Pin([]ShardID{1})
	if err != nil {
		t.Fatal(err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Scrub(ended, map[ShardID]uint64{}); !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "backup") {
		t.Errorf("beside a backup: got %v", err)
	}
	scrubbed := make(chan error)
	go func() { scrubbed <- s.Scrub(t.Context(), map[ShardID]uint64{}) }()
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-scrubbed; err != nil {
		t.Errorf("after it: %v", err)
	}
	if _, err := p.Shard(1); !errors.Is(err, errUnpinned) {
		t.Errorf("read after it was let go: %v", err)
	}
}

func TestAClosedStorePinsNothing(t *testing.T) {
	s := openStore(t, Options{})
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Pin([]ShardID{1}); !errors.Is(err, ErrClosed) {
		t.Errorf("got %v", err)
	}
}
