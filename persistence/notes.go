package persistence

import (
	"fmt"

	"github.com/cockroachdb/pebble/v2"

	"ssod/persistence/layout"
)

// Boot counts a start of the node on this directory, durably, so no later start can be
// taken for it.
func (s *Store) Boot(incarnation uint64) (Boots, error) {
	before, err := s.Boots()
	if err != nil {
		return Boots{}, err
	}
	now := before.next(incarnation)
	if err := s.db.Put(layout.BootsKey, now.Append(nil), pebble.Sync); err != nil {
		return Boots{}, fmt.Errorf("count a start: %w", err)
	}
	return now, nil
}

// ConfirmBoot notes that the cluster has registered the current start. A crash may lose
// the note, which only makes the list of starts longer.
func (s *Store) ConfirmBoot() error {
	b, err := s.Boots()
	if err != nil {
		return err
	}
	return s.db.Put(layout.BootsKey, b.confirmed().Append(nil), pebble.NoSync)
}

// Boots are the starts that this directory remembers.
func (s *Store) Boots() (Boots, error) {
	raw, err := s.db.Read(layout.BootsKey)
	if err != nil || raw == nil {
		return Boots{}, err
	}
	b, _, err := CutBoots(raw)
	return b, err
}

// Durable is the number of the last batch on disk. It never falls, and no promise to
// another node rests on a later one.
func (s *Store) Durable() uint64 { return s.log.Durable() }

// NotePeer keeps what is known of another node; with sync it is on disk on return.
func (s *Store) NotePeer(node NodeID, note []byte, sync bool) error {
	o := pebble.NoSync
	if sync {
		o = pebble.Sync
	}
	if err := s.db.Put(layout.PeerKey(node), note, o); err != nil {
		return fmt.Errorf("note of node %d: %w", node, err)
	}
	return nil
}

// Peers returns the notes of other nodes.
func (s *Store) Peers() (map[NodeID][]byte, error) {
	it, err := s.db.NewIter(&pebble.IterOptions{LowerBound: layout.PeersFrom, UpperBound: layout.PeersTo})
	if err != nil {
		return nil, layout.Damaged(err)
	}
	defer it.Close()
	notes := map[NodeID][]byte{}
	for it.First(); it.Valid(); it.Next() {
		v, err := it.ValueAndErr()
		if err != nil {
			return nil, layout.Damaged(err)
		}
		notes[layout.PeerOf(it.Key())] = append([]byte(nil), v...)
	}
	return notes, layout.Damaged(it.Error())
}

// Note keeps a value of this node's own under a name. It is written with the next synced
// write: a crash may bring an earlier value back.
func (s *Store) Note(name string, value []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return ErrClosed
	}
	if err := s.db.Err(); err != nil {
		return err
	}
	if err := s.space.Admit(len(value)); err != nil {
		return err
	}
	return s.db.Put(layout.NoteKey(name), value, pebble.NoSync)
}

// Noted returns what was noted under a name, nil if nothing was.
func (s *Store) Noted(name string) ([]byte, error) { return s.db.Read(layout.NoteKey(name)) }
