package persistence

import "time"

// Time is the shard's time: the latest of all commits applied to it. Only a reset sets it
// back.
func (s *Store) Time(id ShardID) time.Time { return s.shards.Time(id) }

// Head returns an entity's head; false when it does not exist.
func (s *Store) Head(id ShardID, e Entity) (Head, bool, error) {
	if err := s.readers.enter(); err != nil {
		return Head{}, false, err
	}
	defer s.readers.leave()
	return s.shards.Head(id, e)
}

// Outcome returns the result of a step of a request if it is still kept. It is cheap when
// there is none.
func (s *Store) Outcome(id ShardID, e Entity, r RequestID, step uint32) ([]byte, bool, error) {
	if err := s.readers.enter(); err != nil {
		return nil, false, err
	}
	defer s.readers.leave()
	return s.shards.Outcome(id, e, r, step)
}

// Records calls f for each record of an entity, in order of part, until f returns false.
// part and value are valid during the call.
func (s *Store) Records(id ShardID, e Entity, f func(part, value []byte) bool) error {
	if err := s.readers.enter(); err != nil {
		return err
	}
	defer s.readers.leave()
	return s.shards.Records(id, e, f)
}

// Entities calls f for the entities of one kind behind the identity after ("": from the
// first), in the order of their keys, which is not that of identities, until f returns
// false.
func (s *Store) Entities(id ShardID, kind, after string, f func(identity string, h Head) bool) error {
	if err := s.readers.enter(); err != nil {
		return err
	}
	defer s.readers.leave()
	return s.shards.Entities(id, kind, after, f)
}

// Posted counts what may have added events to a shard: while it is the same, there are none
// that were not there before.
func (s *Store) Posted(id ShardID) uint64 { return s.shards.Posted(id) }

// Receivers are those that events wait for in a shard, or, in the space of dead letters,
// that these were for. There may be one without any.
func (s *Store) Receivers(id ShardID, space byte) ([]uint64, error) {
	if err := s.readers.enter(); err != nil {
		return nil, err
	}
	defer s.readers.leave()
	return s.shards.Receivers(id, space)
}

// Events calls f for a receiver's events behind a sequence, or its dead letters, in order,
// until f returns false. f may keep what it gets.
func (s *Store) Events(id ShardID, space byte, receiver, after uint64, f func(key EventKey, body []byte) bool) error {
	if err := s.readers.enter(); err != nil {
		return err
	}
	defer s.readers.leave()
	return s.shards.Events(id, space, receiver, after, f)
}
