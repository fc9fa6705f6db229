package persistence

import (
	"encoding/binary"
	"fmt"

	"github.com/cockroachdb/pebble/v2"
)

// What a node keeps of itself and of the others beside the shards.
var (
	bootsKey  = []byte("\x00boots")
	peersFrom = []byte("\x00peer")
	peersTo   = []byte("\x00pees")
)

// Boot counts a start of the node on this directory. It is on disk when Boot
// returns, so no later start can be taken for it.
func (s *Store) Boot(incarnation uint64) (Boots, error) {
	before, err := s.boots()
	if err != nil {
		return Boots{}, err
	}
	now := before.next(incarnation)
	if err := s.put(bootsKey, now.Append(nil), pebble.Sync); err != nil {
		return Boots{}, fmt.Errorf("count a start: %w", err)
	}
	return now, nil
}

// ConfirmBoot notes that the cluster has registered the current start. A crash
// may lose the note, which makes the list of starts longer and nothing else.
func (s *Store) ConfirmBoot() error {
	b, err := s.boots()
	if err != nil {
		return err
	}
	return s.put(bootsKey, b.confirmed().Append(nil), pebble.NoSync)
}

func (s *Store) boots() (Boots, error) {
	raw, err := s.get(bootsKey)
	if err != nil || raw == nil {
		return Boots{}, err
	}
	b, _, err := CutBoots(raw)
	return b, err
}

// Durable is the number of the last batch that is on disk. It never falls, and
// nothing is promised to another node that rests on a later one.
func (s *Store) Durable() uint64 { return s.durable.batch.Load() }

// NotePeer keeps what is known of another node, with sync on disk when it
// returns.
func (s *Store) NotePeer(node NodeID, note []byte, sync bool) error {
	o := pebble.NoSync
	if sync {
		o = pebble.Sync
	}
	if err := s.put(peerKey(node), note, o); err != nil {
		return fmt.Errorf("note of node %d: %w", node, err)
	}
	return nil
}

// Peers returns the notes of other nodes.
func (s *Store) Peers() (map[NodeID][]byte, error) {
	it, err := s.db.NewIter(&pebble.IterOptions{LowerBound: peersFrom, UpperBound: peersTo})
	if err != nil {
		return nil, damaged(err)
	}
	defer it.Close()
	notes := map[NodeID][]byte{}
	for it.First(); it.Valid(); it.Next() {
		v, err := it.ValueAndErr()
		if err != nil {
			return nil, damaged(err)
		}
		notes[NodeID(binary.BigEndian.Uint32(it.Key()[len(peersFrom):]))] = append([]byte(nil), v...)
	}
	return notes, damaged(it.Error())
}

func peerKey(node NodeID) []byte {
	return binary.BigEndian.AppendUint32(append([]byte(nil), peersFrom...), uint32(node))
}

// put writes one key beside the numbered batches.
func (s *Store) put(k, v []byte, o *pebble.WriteOptions) error {
	return s.guard(func() error { return s.db.Set(k, v, o) })
}

// commit writes a batch.
func (s *Store) commit(b *pebble.Batch, o *pebble.WriteOptions) error {
	s.memory.Add(int64(b.Len()))
	return s.guard(func() error { return s.db.Apply(b, o) })
}

// guard does a write. One that fails ends the store: whether it is on disk is
// unknown, and nothing may be promised on top of it.
func (s *Store) guard(write func() error) (err error) {
	if err := s.Err(); err != nil {
		return err
	}
	defer func() {
		if p := recover(); p != nil {
			s.wedged.Store(true)
			err = fmt.Errorf("write batch: %v", p)
		}
		if err != nil {
			s.fail(err)
			err = s.Err()
		}
	}()
	return write()
}
