package state

import (
	"errors"
	"time"

	"ssod/persistence/data"
)

// When a flush is due.
const (
	// flushLog is how many bytes may have been added to the logs since the last
	// flush, at most three eighths of a memtable,
	flushLog = 64 << 20
	// flushAge and for how long something may have been applied that is not on disk.
	// How much is Config.UnflushedBytes.
	flushAge = 10 * time.Second
)

// maxLog is [flushLog] for the size of the memtables: what is flushed because of
// it, and the truncations behind it, must find room in the memtable that holds
// the entries. So these never get into tables.
func (c *Config) maxLog() int64 { return min(flushLog, int64(c.MemTableBytes)*3/8) }

// maxDirty is when changes are refused; at twice that whoever applies waits.
func (c *Config) maxDirty() int64 { return 4 * c.UnflushedBytes }

// FlushDue yields when it is time for [Shards.Flush].
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

// Tick asks for a flush when the last one was long ago. It is called from time to
// time.
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

// Dirty is about how much memory what is not flushed takes, in bytes.
func (s *Shards) Dirty() int64 { return s.dirty.Load() }

// ErrBehind: changes were applied faster than the disk takes them up. Reads go on.
var ErrBehind = errors.New("the state on disk is too far behind")

// Admit refuses changes with [ErrBehind] while too much waits to be flushed.
func (s *Shards) Admit() error {
	if s.dirty.Load() > s.config.maxDirty() {
		return ErrBehind
	}
	return nil
}

// Halt ends the waiting of [Shards.Apply] for room in memory, before whoever flushes
// ends: it fails with [data.ErrClosed] where it would wait, and from then on. The entries
// are in the log.
func (s *Shards) Halt() {
	r := &s.room
	r.mu.Lock()
	defer r.mu.Unlock()
	r.halted = true
	r.made.Broadcast()
}

// awaitRoom returns when there is room in memory for what is to be applied.
// Nobody else may refuse an entry that is committed.
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
