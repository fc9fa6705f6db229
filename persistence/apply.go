package persistence

import (
	"fmt"

	"github.com/cockroachdb/pebble/v2"
)

// stage is a batch being built.
type stage struct {
	store    *Store
	batch    *pebble.Batch
	sequence uint64
	time     int64 // ms
	touched  []touch
	key      []byte
	value    []byte
	held     []held
	block    outcomes
}

// commit adds a commit to the batch, or nothing at all if it returns an error.
func (st *stage) commit(id ShardID, c *Commit) error {
	if int(id) >= len(st.store.shards) {
		return fmt.Errorf("%w: shard %d", ErrInvalid, id)
	}
	if err := c.Validate(); err != nil {
		return err
	}
	st.key = st.store.salt.appendHeadKey(st.key[:0], id, c.Entity)
	stored, err := st.store.revision(st.key)
	if err != nil {
		return err
	}
	if stored.rev != c.BaseRev {
		return ErrRevision
	}
	now := st.store.shards[id].advance(st.time)
	st.touch(id)
	held := st.outcomes(id, c, stored.outcomes, now)
	st.store.revs.put(st.key, st.head(c, stored.parts, held))
	st.records(c)
	return nil
}

// head writes or removes the entity's head; st.key is its key.
func (st *stage) head(c *Commit, parts bool, held outcomes) revision {
	if c.Remove {
		st.set(st.batch.Delete(st.key, nil))
		if parts {
			st.set(st.batch.DeleteRange(st.key, successor(st.key), nil))
		}
		return revision{batch: st.sequence}
	}
	if c.BaseRev == 0 {
		st.store.known.add(st.key)
	}
	parts = parts || len(c.Puts) > 0
	h := Head{Rev: c.BaseRev + 1, Schema: c.Schema, State: c.State}
	st.value = appendHead(st.value[:0], c.Entity.Identity, h, parts, held)
	st.set(st.batch.Set(st.key, st.value, nil))
	return revision{rev: h.Rev, parts: parts, outcomes: held, batch: st.sequence}
}

// records writes and deletes records beside the head; st.key is its key.
func (st *stage) records(c *Commit) {
	n := len(st.key)
	for i := range c.Puts {
		st.key = append(st.key[:n], c.Puts[i].Part...)
		st.set(st.batch.Set(st.key, c.Puts[i].Value, nil))
	}
	for _, part := range c.Deletes {
		st.key = append(st.key[:n], part...)
		st.set(st.batch.Delete(st.key, nil))
	}
}

// set takes the error of adding to a batch, which has no cause: the batch is
// not indexed and belongs to us alone.
func (st *stage) set(err error) {
	if err != nil {
		panic(err)
	}
}

// revision returns the revision of the entity with the head key k, from memory
// or from disk.
func (s *Store) revision(k []byte) (revision, error) {
	if v, ok := s.revs.get(k); ok {
		return v, nil
	}
	return s.storedRevision(k)
}

// storedRevision returns what the head with the key k says, from disk.
func (s *Store) storedRevision(k []byte) (revision, error) {
	if s.known.absent(k) {
		return revision{}, nil
	}
	b, err := s.get(k)
	if b == nil || err != nil {
		return revision{}, err
	}
	_, _, v, err := parseHead(b)
	return v, err
}
