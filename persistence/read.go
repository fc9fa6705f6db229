package persistence

import (
	"fmt"
	"time"

	"github.com/cockroachdb/pebble/v2"
)

// Time is the shard's time: the latest of all commits applied to it. It never
// goes back.
func (s *Store) Time(id ShardID) time.Time {
	if int(id) >= len(s.shards) {
		return time.UnixMilli(0).UTC()
	}
	return time.UnixMilli(s.shards[id].time.Load()).UTC()
}

// Head returns an entity's head; false when it does not exist.
func (s *Store) Head(id ShardID, e Entity) (Head, bool, error) {
	if err := s.readers.enter(); err != nil {
		return Head{}, false, err
	}
	defer s.readers.leave()
	h, ok, err := s.head(s.salt.appendHeadKey(make([]byte, 0, 128), id, e))
	if err != nil {
		return Head{}, false, fmt.Errorf("read head of a %s: %w", e.Kind, err)
	}
	return h, ok, nil
}

// head reads the head with the key k. Whoever reads a head is likely to change
// it, so its revision is remembered for that.
func (s *Store) head(k []byte) (h Head, ok bool, err error) {
	if s.known.absent(k) {
		return Head{}, false, nil
	}
	epoch := s.revs.now()
	b, err := s.get(k)
	if err != nil {
		return Head{}, false, err
	}
	var v revision
	if b != nil {
		if _, h, v, err = parseHead(b); err != nil {
			return Head{}, false, err
		}
	}
	s.revs.seen(k, v, epoch)
	if err := s.durable.wait(s.revs.batch(k)); err != nil {
		return Head{}, false, err
	}
	return h, b != nil, nil
}

// Outcome returns the result of a step of a request if it is still kept. It is
// cheap when there is none: filters answer without reading a block.
func (s *Store) Outcome(id ShardID, e Entity, r RequestID, step uint32) ([]byte, bool, error) {
	if int(id) >= len(s.shards) || !s.shards[id].recent.maybe(r, step, s.shards[id].time.Load()) {
		return nil, false, nil
	}
	if err := s.readers.enter(); err != nil {
		return nil, false, err
	}
	defer s.readers.leave()
	k := s.salt.appendHeadKey(make([]byte, 0, 128), id, e)
	result, ok, err := s.outcome(id, k, r, step)
	if err != nil {
		return nil, false, fmt.Errorf("read outcome of a %s: %w", e.Kind, err)
	}
	if !ok {
		return nil, false, nil
	}
	return result, true, s.durable.wait(s.revs.batch(k))
}

// Records calls f for each record beside an entity's head, in order of part,
// until f returns false. part and value are valid during the call.
func (s *Store) Records(id ShardID, e Entity, f func(part, value []byte) bool) error {
	if err := s.readers.enter(); err != nil {
		return err
	}
	defer s.readers.leave()
	k := s.salt.appendHeadKey(make([]byte, 0, 128), id, e)
	it, err := s.db.NewIter(&pebble.IterOptions{LowerBound: append(k, 0), UpperBound: successor(k)})
	if err != nil {
		return fmt.Errorf("read records of a %s: %w", e.Kind, damaged(err))
	}
	defer it.Close()
	if err := s.durable.wait(s.revs.batch(k)); err != nil {
		return err
	}
	for it.First(); it.Valid(); it.Next() {
		value, err := it.ValueAndErr()
		if err != nil {
			return fmt.Errorf("read records of a %s: %w", e.Kind, damaged(err))
		}
		if !f(it.Key()[len(k):], value) {
			return nil
		}
	}
	return damaged(it.Error())
}

// Entities calls f for the entities of one kind after the identity after (""
// means from the first), in the order of their keys, which is no order of
// identities, until f returns false.
func (s *Store) Entities(id ShardID, kind, after string, f func(identity string, h Head) bool) error {
	if err := s.readers.enter(); err != nil {
		return err
	}
	defer s.readers.leave()
	prefix := appendKind(appendShard(nil, id, subEntity), kind)
	from := prefix
	if after != "" {
		from = successor(s.salt.appendHeadKey(nil, id, Entity{Kind: kind, Identity: after}))
	}
	it, err := s.db.NewIter(&pebble.IterOptions{LowerBound: from, UpperBound: successor(prefix)})
	if err != nil {
		return fmt.Errorf("read entities of kind %s: %w", kind, damaged(err))
	}
	defer it.Close()
	if err := s.durable.wait(s.last()); err != nil {
		return err
	}
	return damaged(walk(it, f))
}

// walk calls f for every head, jumping over the records beside it.
func walk(it *pebble.Iterator, f func(identity string, h Head) bool) error {
	for ok := it.First(); ok; {
		_, _, rest, err := splitEntity(it.Key()[shardKeyLen:])
		if err != nil {
			return err
		}
		if len(rest) > 0 {
			ok = it.SeekGE(successor(it.Key()[:len(it.Key())-len(rest)]))
			continue
		}
		identity, h, err := headOf(it)
		if err != nil {
			return err
		}
		if !f(identity, h) {
			return nil
		}
		ok = it.Next()
	}
	return it.Error()
}

// headOf copies the head at the iterator.
func headOf(it *pebble.Iterator) (string, Head, error) {
	value, err := it.ValueAndErr()
	if err != nil {
		return "", Head{}, err
	}
	identity, h, _, err := parseHead(append([]byte(nil), value...))
	return string(identity), h, err
}

// last is the number of the last batch that was started.
func (s *Store) last() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.sequence
}
