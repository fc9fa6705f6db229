package persistence

import "github.com/cockroachdb/pebble/v2"

// Note keeps a value that concerns this node alone under a name. It is written
// with whatever is written next: a crash may bring an earlier one back.
func (s *Store) Note(name string, value []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return ErrClosed
	}
	if err := s.Err(); err != nil {
		return err
	}
	if err := s.space.Admit(len(value)); err != nil {
		return err
	}
	return s.put(noteKey(name), value, pebble.NoSync)
}

// Noted returns what was noted under a name, nil if nothing was.
func (s *Store) Noted(name string) ([]byte, error) { return s.get(noteKey(name)) }

// New reports whether the store was created when it was opened.
func (s *Store) New() bool { return s.created }

func noteKey(name string) []byte { return append([]byte{spaceNode, 'n'}, name...) }
