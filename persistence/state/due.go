package state

import (
	"errors"
	"time"

	"ssod/persistence/data"
)

// When a flush is due.
const (
	// flushLog bounds the bytes added to the logs since the last flush.
	flushLog = 64 << 20
	// flushAge bounds the age of what is applied and not on disk. Its size is bounded by
	// Config.UnflushedBytes.
	flushAge = 10 * time.Second
)

// maxLog is at most three eighths of a memtable: the flush and the truncations behind it
// must fit in the memtable that holds the entries, so that these never get into tables.
func (c *Config) maxLog() int64 { return min(flushLog, int64(c.MemTableBytes)*3/8) }

// maxDirty is when changes are refused; at twice that applying waits.
func (c *Config) maxDirty() int64 { return 4 * c.UnflushedBytes }

// FlushDue receives when it is time for [Shards.Flush].
func (s *Shards) FlushDue() <-chan struct{} { return s.due }

// noteApplied asks for a flush when enough was applied.
func (s *Shards) noteApplied() {
	s.touched.Store(true)
	if s.dirty.Load() >= s.config.UnflushedBytes {
		s.wantFlush()
	}
}

// Logged asks for a flush when the logs have grown enough.
func (s *Shards) Logged(bytes int64) {
	if s.logged.Add(bytes) >= s.config.maxLog() {
		s.wantFlush()
	}
}

// Tick asks for a flush when the last one was long ago. It is called periodically.
func (s *Shards) Tick() {
	if s.touched.Load() && time.Since(time.Unix(0, s.flushedAt.Load())) >= flushAge {
		s.wantFlush()
	}
}

func (s *Shards) wantFlush() {
	select {
	case s.due <- struct{}{}:
	default:
	}
}

// Dirty is the approximate memory of what is not flushed, in bytes.
func (s *Shards) Dirty() int64 { return s.dirty.Load() }

// ErrBehind: changes were applied faster than the disk writes them. Reads go on.
var ErrBehind = errors.New("the state on disk is too far behind")

// Admit refuses changes with [ErrBehind] while too much waits to be flushed.
func (s *Shards) Admit() error {
	if s.dirty.Load() > s.config.maxDirty() {
		return ErrBehind
	}
	return nil
}

// Halt ends the waiting of [Shards.Apply] for room in memory, before flushes end: from the
// first time that it would wait it fails with [data.ErrClosed]. The entries are in the log.
func (s *Shards) Halt() {
	r := &s.room
	r.mu.Lock()
	defer r.mu.Unlock()
	r.halted = true
	r.made.Broadcast()
}

// awaitRoom waits for room in memory: a committed entry cannot be refused.
func (s *Shards) awaitRoom() error {
	limit, r := 2*s.config.maxDirty(), &s.room
	r.mu.Lock()
	defer r.mu.Unlock()
	for !r.refused && s.dirty.Load() >= limit {
		if err := s.db.Err(); err != nil {
			return err
		}
		if r.halted {
			r.refused = true
			break
		}
		s.wantFlush()
		r.made.Wait()
	}
	if r.refused {
		return data.ErrClosed
	}
	return nil
}
