package disk

import (
	"sync"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// Stale are files that may hold erased data.
type Stale struct {
	mu    sync.Mutex
	names map[string]bool
}

// Set replaces the files; the earlier ones are gone.
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

// StaleFS makes a new file instead of reusing a stale one, which would keep what is behind
// the new end.
type StaleFS struct {
	vfs.FS
	Stale *Stale
}

func (f StaleFS) ReuseForWrite(from, to string, category vfs.DiskWriteCategory) (vfs.File, error) {
	if !f.Stale.has(f.PathBase(from)) {
		return f.FS.ReuseForWrite(from, to, category)
	}
	if err := f.Remove(from); err != nil {
		return nil, err
	}
	return f.Create(to, category)
}

func (f StaleFS) Unwrap() vfs.FS { return f.FS }
