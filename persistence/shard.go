package persistence

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/cockroachdb/pebble/v2"
)

// shard is what the store keeps in memory of a shard: what was applied and is not
// in Pebble yet, and what it must know of what is. See DESIGN.md.
type shard struct {
	// writing is held by who changes what Pebble has of the shard's state.
	writing sync.Mutex
	flushed atomic.Uint64 // up to which entry that state is

	mu       sync.RWMutex
	active   *layer   // takes what is applied
	flushing *layer   // is being written; nil: none is
	done     progress // up to where the shard is applied
	changed  bool     // something was applied since the last flush began
	blocks   []*block // of outcomes, the oldest first, once loaded

	time   atomic.Int64 // shard time in ms
	loaded atomic.Bool  // blocks are known
	// unscanned: the state was replaced, and the filter of entities may lack some.
	unscanned atomic.Bool
}

// layers are those of the shard. The caller holds mu.
func (sh *shard) layers() layers {
	if sh.flushing == nil {
		return layers{sh.active}
	}
	return layers{sh.active, sh.flushing}
}

// bytes is about what the layers take in memory. The caller holds mu.
func (sh *shard) bytes() int64 {
	n := sh.active.bytes
	if sh.flushing != nil {
		n += sh.flushing.bytes
	}
	return int64(n)
}

// reset has outcomes that are later than the time to which that of the shard is
// set back count as of then; those that are being flushed when that is done. The
// caller holds mu.
func (sh *shard) reset(time int64) {
	sh.active.outcomes.reset(time)
	for _, k := range sh.blocks {
		k.time = min(k.time, time)
	}
}

// blocksAfter tells the blocks that are later than a time from the others.
func (sh *shard) blocksAfter(time int64) (later, others []*block) {
	sh.mu.RLock()
	defer sh.mu.RUnlock()
	for _, k := range sh.blocks {
		if k.time > time {
			later = append(later, k)
		} else {
			others = append(others, k)
		}
	}
	return later, others
}

// keeps reports whether outcomes of a time are within the window.
func (sh *shard) keeps(time int64) bool {
	return time > sh.time.Load()-OutcomeWindow.Milliseconds()
}

// shard returns what is in memory of a shard, nil if there is none of that number.
func (s *Store) shard(id ShardID) *shard {
	if int(id) >= len(s.shards) {
		return nil
	}
	return &s.shards[id]
}

// loadShards reads where every shard is.
func (s *Store) loadShards() error {
	s.shards = make([]shard, s.identity.Shards+1)
	for id := range s.shards {
		if err := s.loadShard(ShardID(id), &s.shards[id]); err != nil {
			return fmt.Errorf("load shard %d: %w", id, err)
		}
	}
	return nil
}

// loadShard forgets what memory has of a shard, and reads where it is on disk.
// The caller holds writing and mu, unless nobody else knows the store yet.
func (s *Store) loadShard(id ShardID, sh *shard) error {
	p, err := s.storedProgress(id)
	if err != nil && !errors.Is(err, ErrNoReplica) {
		return err
	}
	defer s.room.wake()
	if sh.active != nil {
		s.dirty.Add(-sh.bytes())
	}
	sh.active, sh.flushing, sh.blocks, sh.changed = newLayer(nil), nil, nil, false
	sh.loaded.Store(false)
	sh.done = p
	sh.flushed.Store(p.Index)
	sh.time.Store(int64(p.Time))
	return nil
}

// storedProgress reads how far a shard is on disk, [ErrNoReplica] without one.
func (s *Store) storedProgress(id ShardID) (progress, error) {
	a, err := appliedIn(s.db, id)
	if err != nil {
		return progress{}, err
	}
	return progressOf(a)
}

// appliedIn reads how far a shard is.
func appliedIn(r pebble.Reader, shard ShardID) (Applied, error) {
	v, closer, err := r.Get(logStateKey(shard, logApplied))
	if errors.Is(err, pebble.ErrNotFound) {
		return Applied{}, ErrNoReplica
	}
	if err != nil {
		return Applied{}, damaged(err)
	}
	defer closer.Close()
	b, err := unsealed(slices.Clone(v))
	if err != nil {
		return Applied{}, fmt.Errorf("applied position of shard %d: %w", shard, err)
	}
	return decodeApplied(b)
}

// timeIn is the shard time that an installed table brought, 0 if there is none.
func (s *Store) timeIn(id ShardID) (uint64, error) {
	b, err := s.get(appendShard(nil, id, subTime))
	if err != nil || len(b) == 0 {
		return 0, err
	}
	if len(b) != 8 {
		return 0, fmt.Errorf("%w: shard time of %d bytes", ErrDamaged, len(b))
	}
	return binary.BigEndian.Uint64(b), nil
}
