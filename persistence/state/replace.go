package state

import (
	"ssod/persistence/data"
	"ssod/persistence/layout"
)

// Replace does something that replaces what Pebble has of a shard's state, and has
// memory know nothing of what was there before. Reads of the shard wait, else they
// would find the layers of before over the state of afterwards.
func (s *Shards) Replace(id data.ShardID, do func() error) error {
	sh := s.shard(id)
	if sh == nil {
		return data.ErrInvalid
	}
	sh.writing.Lock()
	defer sh.writing.Unlock()
	sh.unscanned.Store(true)
	if err := s.swap(id, sh, do); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	_, err := s.scanShard(s.known.filter.Load(), layout.AppendShard(nil, id, layout.SubEntity), haste{}, nil)
	if err == nil {
		sh.unscanned.Store(false)
	}
	return err
}

// swap is what readers must not see half of. Who applies to a shard takes the
// store's lock before the shard's, so it is not taken here.
func (s *Shards) swap(id data.ShardID, sh *shard, do func() error) error {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	if err := do(); err != nil {
		return err
	}
	s.revs.drop(string(layout.AppendShard(nil, id, layout.SubEntity)))
	return s.loadShard(id, sh)
}
