package state

import (
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"ssod/persistence/data"
	"ssod/persistence/db"
	"ssod/persistence/disk"
	"ssod/persistence/layout"
)

// Config is what Shards need. All of it is required.
type Config struct {
	DB    *db.DB
	Space *disk.Space
	// Shards is the number of shards that hold entities.
	Shards int
	Salt   layout.Salt
	// MemTableBytes is the size of a memtable: growth of the logs by a part of it makes
	// a flush due.
	MemTableBytes uint64
	// UnflushedBytes of applied changes make a flush due.
	UnflushedBytes int64
	Logger         *slog.Logger
}

// Shards is the state of all shards of a node.
type Shards struct {
	config Config
	db     *db.DB
	salt   layout.Salt
	revs   *revisions
	known  *known
	shards []shard // by number

	// mu is held to apply, and to replace the filter by a scan of the store.
	mu       sync.Mutex
	prepared preparation // guarded by mu

	dirty     atomic.Int64  // bytes in the layers of all shards
	logged    atomic.Int64  // bytes of entries since the last flush
	touched   atomic.Bool   // something was applied since the last flush
	flushedAt atomic.Int64  // when the last flush began, in ns
	due       chan struct{} // a flush is wanted
	room      room
	counters
}

// counters count what is written and read, for tests.
type counters struct {
	stateBatches atomic.Int64
	written      atomic.Int64 // heads
	blockReads   atomic.Int64 // of blocks of outcomes
}

// New returns shards, which are empty until [Shards.Load].
func New(c Config) *Shards {
	s := &Shards{config: c, db: c.DB, salt: c.Salt, revs: newRevisions(), known: newKnown(), due: make(chan struct{}, 1)}
	s.room.init()
	s.flushedAt.Store(time.Now().UnixNano())
	s.db.OnFail(func(error) { s.room.wake() })
	return s
}

// Load reads where every shard is.
func (s *Shards) Load() error {
	s.shards = make([]shard, s.config.Shards+1)
	for id := range s.shards {
		if err := s.loadShard(data.ShardID(id), &s.shards[id]); err != nil {
			return fmt.Errorf("load shard %d: %w", id, err)
		}
	}
	return nil
}

// loadShard drops what memory has of a shard, and reads how far it is on disk. The caller
// holds writing and mu, unless the store is not shared yet.
func (s *Shards) loadShard(id data.ShardID, sh *shard) error {
	p, err := s.storedProgress(id)
	if err != nil && !errors.Is(err, data.ErrNoReplica) {
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
	sh.posted.Add(1)
	return nil
}

// loadBlocks reads which blocks a shard has, once. The caller holds its writing. Blocks
// later than the shard time were written before it was set back, and count as of now.
func (s *Shards) loadBlocks(id data.ShardID, sh *shard) error {
	if sh.loaded.Load() {
		return nil
	}
	it, err := s.db.NewIter(&pebble.IterOptions{LowerBound: layout.AppendShard(nil, id, layout.SubOutcome), UpperBound: layout.AppendShard(nil, id, layout.SubOutcome+1)})
	if err != nil {
		return layout.Damaged(err)
	}
	defer it.Close()
	var blocks []*block
	for it.First(); it.Valid(); it.Next() {
		value, err := it.ValueAndErr()
		if err != nil {
			return layout.Damaged(err)
		}
		k, err := parseBlock(it.Key(), value)
		if err != nil {
			return fmt.Errorf("outcomes of shard %d: %w", id, err)
		}
		blocks = append(blocks, k)
	}
	if err := it.Error(); err != nil {
		return layout.Damaged(err)
	}
	sh.mu.Lock()
	defer sh.mu.Unlock()
	for _, k := range blocks {
		k.time = min(k.time, sh.time.Load())
	}
	sh.blocks = blocks
	sh.loaded.Store(true)
	return nil
}

// storedProgress reads how far a shard is on disk, [data.ErrNoReplica] without one.
func (s *Shards) storedProgress(id data.ShardID) (layout.Progress, error) {
	a, err := layout.ReadApplied(s.db, id)
	if err != nil {
		return layout.Progress{}, err
	}
	return layout.ProgressOf(a)
}

// shard returns a shard, nil if there is none of that number.
func (s *Shards) shard(id data.ShardID) *shard {
	if int(id) >= len(s.shards) {
		return nil
	}
	return &s.shards[id]
}

func (s *Shards) all() []data.ShardID {
	ids := make([]data.ShardID, len(s.shards))
	for i := range ids {
		ids[i] = data.ShardID(i)
	}
	return ids
}

// Applied is how far a shard is.
func (s *Shards) Applied(id data.ShardID) data.Applied {
	sh := s.shard(id)
	if sh == nil {
		return data.Applied{}
	}
	sh.mu.RLock()
	defer sh.mu.RUnlock()
	return sh.done.Applied
}

// Flushed is the last entry whose effect is on disk: the log may be truncated up to it.
func (s *Shards) Flushed(id data.ShardID) uint64 {
	if sh := s.shard(id); sh != nil {
		return sh.flushed.Load()
	}
	return 0
}
