package persistence

import (
	"fmt"
	"strconv"

	"ssod/persistence/level"
)

// levelFile has the format level of the node's cluster, as far as the node knows it. It
// is read first: a version that does not know the level must not open the store.
const levelFile = "level"

// Level is the format level of the node's cluster, as [Store.RaiseLevel] was told.
func (s *Store) Level() int { return int(s.level.Load()) }

// RaiseLevel notes, durably, that the cluster is at a format level. From then on versions
// that do not know it refuse the directory.
func (s *Store) RaiseLevel(to int) error {
	s.raising.Lock()
	defer s.raising.Unlock()
	if to <= s.Level() {
		return nil
	}
	if err := s.dir.Write(levelFile, []byte(strconv.Itoa(to))); err != nil {
		return fmt.Errorf("note format level %d: %w", to, err)
	}
	s.level.Store(int64(to))
	return nil
}

// loadLevel reads the level, and refuses one that this version does not know.
func (s *Store) loadLevel() error {
	b, err := s.dir.Read(levelFile)
	if err != nil {
		return err
	}
	at := level.First
	if b != nil {
		if at, err = strconv.Atoi(string(b)); err != nil {
			return fmt.Errorf("%w: format level %q", ErrDamaged, b)
		}
	}
	switch known := level.Known(); {
	case at > known.Newest:
		return fmt.Errorf("%s: %w: its cluster is at format level %d and this version knows %v: start the version that wrote it, or a newer one",
			s.opts.Dir, ErrNewerFormat, at, known)
	case at < known.Oldest:
		return fmt.Errorf("%s: %w: its cluster is at format level %d and this version knows %v: start a version between, and raise the level with it",
			s.opts.Dir, ErrOlderFormat, at, known)
	}
	s.level.Store(int64(at))
	return nil
}
