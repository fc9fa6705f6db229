package state

import (
	"ssod/persistence/data"
	"ssod/persistence/layout"
)

// Reload does something that empties what Pebble has of a shard's state, and has
// memory know nothing of what was there before. Reads of the shard wait, else they
// would find the layers of before over the state of afterwards.
func (s *Shards) Reload(id data.ShardID, do func() error) error {
	sh := s.shard(id)
	if sh == nil {
		return data.ErrInvalid
	}
	sh.writing.Lock()
	defer sh.writing.Unlock()
	return s.swap(id, sh, do)
}

// Replace is Reload for what puts another state there, of whose entities the filter
// knows nothing yet. They are learned in the background: a scan takes its time, and
// would keep flushes waiting.
func (s *Shards) Replace(id data.ShardID, do func() error) error {
	return s.Reload(id, func() error {
		replaced := &s.shards[id].replaced
		begun := replaced.Load() | 1
		replaced.Store(begun)
		if err := do(); err != nil {
			return err
		}
		replaced.Store(begun + 1)
		s.known.ask()
		return nil
	})
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
