package state

import (
	"ssod/persistence/data"
	"ssod/persistence/layout"
)

// Replace calls do, which replaces a shard's state in Pebble, and drops what memory has of
// the old one. Reads of the shard wait, else they would find old layers over the new
// state.
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

// swap is the part of Replace that must be atomic for readers. The store's lock is not
// taken here, because Apply takes it before the shard's.
func (s *Shards) swap(id data.ShardID, sh *shard, do func() error) error {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	if err := do(); err != nil {
		return err
	}
	s.revs.drop(string(layout.AppendShard(nil, id, layout.SubEntity)))
	return s.loadShard(id, sh)
}
