package logsink_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"ssod/cmd/internal/logsink"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// reader is what a log is written to: it may stand still or be gone.
type reader struct {
	mu    sync.Mutex
	text  bytes.Buffer
	gone  bool
	stuck chan struct{} // nil: it reads; closed: it reads again
}

func (r *reader) Write(line []byte) (int, error) {
	r.mu.Lock()
	stuck := r.stuck
	r.mu.Unlock()
	if stuck != nil {
		<-stuck
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.gone {
		return 0, errors.New("broken pipe")
	}
	return r.text.Write(line)
}

func (r *reader) leave(gone bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.gone = gone
}

func (r *reader) String() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.text.String()
}

func newSink(t *testing.T, r *reader) *logsink.Sink {
	s := logsink.New(logsink.Options{Out: r, Room: 20, Missing: func(lines uint64) []byte {
		return fmt.Appendf(nil, "%d missing\n", lines)
	}})
	t.Cleanup(s.Close)
	return s
}

func write(t *testing.T, s *logsink.Sink, lines ...string) {
	t.Helper()
	for _, line := range lines {
		if n, err := s.Write([]byte(line + "\n")); n != len(line)+1 || err != nil {
			t.Errorf("write %q: %d, %v", line, n, err)
		}
	}
}

func TestLinesComeInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &reader{}
		s := newSink(t, r)
		defer s.Close()
		line := []byte("first\n")
		if _, err := s.Write(line); err != nil {
			t.Fatal(err)
		}
		copy(line, "XXXXX") // it is the caller's again
		write(t, s, "second")
		if !s.Flush(time.Second) || r.String() != "first\nsecond\n" || s.Dropped() != 0 {
			t.Errorf("got %q, %d dropped", r.String(), s.Dropped())
		}
	})
}

// A reader that stands still costs lines, not time, and is told what it missed.
func TestAStuckReaderIsNotWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &reader{stuck: make(chan struct{})}
		s := newSink(t, r)
		defer s.Close()
		write(t, s, "in hand")
		synctest.Wait()
		write(t, s, "waits 1", "waits 2", "no room 1", "no room 2")
		began := time.Now()
		if s.Flush(time.Second) {
			t.Error("what was not written counts as written")
		}
		if took := time.Since(began); took != time.Second {
			t.Errorf("a flush of at most 1 s took %v", took)
		}
		if got := s.Dropped(); got != 2 {
			t.Errorf("%d lines are dropped, want 2", got)
		}
		close(r.stuck)
		if !s.Flush(time.Second) {
			t.Error("not written although the reader reads again")
		}
		if want := "in hand\n2 missing\nwaits 1\nwaits 2\n"; r.String() != want {
			t.Errorf("the reader got %q, want %q", r.String(), want)
		}
	})
}

// A reader that is gone is no error for whoever logs. Should one come, it is told.
func TestAReaderThatIsGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &reader{gone: true}
		s := newSink(t, r)
		defer s.Close()
		write(t, s, "one")
		s.Flush(time.Second)
		write(t, s, "two")
		if !s.Flush(time.Second) || s.Dropped() != 2 {
			t.Errorf("%d lines are dropped, want 2", s.Dropped())
		}
		r.leave(false)
		write(t, s, "three")
		s.Flush(time.Second)
		write(t, s, "four")
		s.Flush(time.Second)
		if want := "three\n2 missing\nfour\n"; r.String() != want {
			t.Errorf("the reader got %q, want %q", r.String(), want)
		}
	})
}

func TestAClosedSinkDrops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &reader{}
		s := newSink(t, r)
		write(t, s, "before")
		s.Close()
		write(t, s, "after")
		if !s.Flush(time.Second) || strings.Contains(r.String(), "after") || s.Dropped() != 1 {
			t.Errorf("got %q, %d dropped", r.String(), s.Dropped())
		}
	})
}
