package logsink

import (
	"bytes"
	"io"
	"sync"
	"time"
)

// room is how many bytes of lines wait at most: some thousand lines, for the restart of a
// shipper.
const room = 1 << 20

// Options is what a [Sink] needs.
type Options struct {
	// Out is where lines go. A write may block for ever.
	Out io.Writer
	// Missing makes the line that says how many lines were dropped; nil: there is none.
	Missing func(lines uint64) []byte
	// Room is how many bytes of lines wait at most; 0 means 1 MiB.
	Room int
}

// Sink is an [io.Writer]; each write is a line. It is safe for concurrent use.
type Sink struct {
	out     io.Writer
	missing func(lines uint64) []byte
	room    int

	mu      sync.Mutex
	changed *sync.Cond // tells of everything below
	waiting [][]byte
	bytes   int  // of what waits
	writing bool // some that waited are being written
	closed  bool
	dropped uint64 // lines, in all
	told    uint64 // lines of which the log says that they were dropped
}

// New returns a sink, which should be closed.
func New(o Options) *Sink {
	s := &Sink{out: o.Out, missing: o.Missing, room: o.Room}
	if s.room == 0 {
		s.room = room
	}
	s.changed = sync.NewCond(&s.mu)
	go s.run()
	return s
}

// Write takes a line. It never blocks or fails: a line without room is dropped.
func (s *Sink) Write(line []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || s.bytes+len(line) > s.room {
		s.dropped++
		return len(line), nil
	}
	s.waiting, s.bytes = append(s.waiting, bytes.Clone(line)), s.bytes+len(line)
	s.changed.Broadcast()
	return len(line), nil
}

// Dropped is the number of dropped lines.
func (s *Sink) Dropped() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.dropped
}

// Flush waits until everything is written, and reports false after the time limit.
func (s *Sink) Flush(most time.Duration) bool {
	over := false
	timer := time.AfterFunc(most, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		over = true
		s.changed.Broadcast()
	})
	defer timer.Stop()
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.busy() && !over {
		s.changed.Wait()
	}
	return !s.busy()
}

// busy reports whether anything waits or is being written. s.mu is held.
func (s *Sink) busy() bool { return len(s.waiting) > 0 || s.writing }

// Close drops later lines. It does not wait for a write that hangs.
func (s *Sink) Close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	s.changed.Broadcast()
}

// run writes what waits until the sink is closed and empty.
func (s *Sink) run() {
	for lines := s.take(); lines != nil; lines = s.take() {
		lost := 0
		for _, line := range lines {
			lost += s.put(line)
		}
		s.done(lost)
	}
}

// take waits for lines and takes all of them; nil at the end.
func (s *Sink) take() (lines [][]byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.waiting) == 0 && !s.closed {
		s.changed.Wait()
	}
	lines, s.waiting, s.bytes = s.waiting, nil, 0
	s.writing = lines != nil
	return lines
}

// put writes one line and returns how many were lost with it.
func (s *Sink) put(line []byte) (lost int) {
	if _, err := s.out.Write(line); err != nil {
		return 1
	}
	return 0
}

// done ends what [Sink.take] began. If a line got through, the log says how many are
// missing.
func (s *Sink) done(lost int) {
	s.mu.Lock()
	s.dropped += uint64(lost)
	missing := s.dropped - s.told
	s.mu.Unlock()
	told := missing > 0 && lost == 0 && s.missing != nil && s.put(s.missing(missing)) == 0
	s.mu.Lock()
	defer s.mu.Unlock()
	if told {
		s.told += missing
	}
	s.writing = false
	s.changed.Broadcast()
}
