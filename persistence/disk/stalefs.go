package disk

import (
	"sync"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// Stale are files that may hold what is to be gone.
type Stale struct {
	mu    sync.Mutex
	names map[string]bool
}

// Set says which files these are, in place of those before, which are gone.
func (s *Stale) Set(names []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.names = make(map[string]bool, len(names))
	for _, name := range names {
		s.names[name] = true
	}
}

func (s *Stale) has(name string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.names[name]
}

// StaleFS lets no stale file be written over, which would leave what is behind the
// new end: a new file takes its place.
type StaleFS struct {
	vfs.FS
	Stale *Stale
}

// ReuseForWrite implements vfs.FS.
func (f StaleFS) ReuseForWrite(from, to string, category vfs.DiskWriteCategory) (vfs.File, error) {
	if !f.Stale.has(f.PathBase(from)) {
		return f.FS.ReuseForWrite(from, to, category)
	}
	if err := f.Remove(from); err != nil {
		return nil, err
	}
	return f.Create(to, category)
}

// Unwrap implements vfs.FS.
func (f StaleFS) Unwrap() vfs.FS { return f.FS }
