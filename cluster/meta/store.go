package meta

import (
	"context"
	"fmt"
	"iter"
	"maps"
	"sync"
	"sync/atomic"

	"ssod/cluster"
	"ssod/cluster/wait"
)

// Store holds all tables. It is safe for concurrent use.
type Store struct {
	shards   cluster.Shards
	options  Options
	tables   atomic.Pointer[map[string]*table]
	changing chan struct{} // a lock: full while tables are being changed

	watchers cluster.Watchers[string] // of tables by name

	mu    sync.Mutex    // guards what follows, and tables while it is replaced
	newer chan struct{} // closed when a table is replaced

	applied   wait.Signal
	stop      chan struct{}
	closeOnce sync.Once
	following sync.WaitGroup
}

func newStore(shards cluster.Shards, o Options) *Store {
	return &Store{
		shards: shards, options: o, changing: make(chan struct{}, 1),
		newer: make(chan struct{}), applied: wait.NewSignal(), stop: make(chan struct{}),
	}
}

// Open loads all tables from the meta shard. It waits until ctx ends for this
// node to lead that shard.
func Open(ctx context.Context, shards cluster.Shards) (*Store, error) {
	s := newStore(shards, Options{})
	shard, err := lead(ctx, shards)
	if err != nil {
		return nil, fmt.Errorf("open meta tables: %w", err)
	}
	tables, err := loadAll(shard)
	if err != nil {
		return nil, fmt.Errorf("open meta tables: %w", err)
	}
	s.tables.Store(&tables)
	return s, nil
}

// Get returns the value of a key. It must not be changed.
func (s *Store) Get(table, key string) ([]byte, bool) {
	return s.Read(table).Get(key)
}

// All yields the keys and values of a table in order of key, as they are when
// the iteration begins. Values must not be changed.
func (s *Store) All(table string) iter.Seq2[string, []byte] {
	return func(yield func(string, []byte) bool) { s.table(table).all(yield) }
}

// Records returns the records of a table in order of key, and its revision.
// Values must not be changed.
func (s *Store) Records(table string) (records iter.Seq2[string, []byte], revision uint64) {
	t := s.table(table)
	return t.all, t.rev
}

// Revision counts the changes of a table; 0: it does not exist. What is derived from a
// table is as new as the table if it has its revision; a watch comes a moment later.
func (s *Store) Revision(table string) uint64 { return s.table(table).rev }

// Read returns a table as it is now.
func (s *Store) Read(table string) Table { return Table{s.table(table)} }

var empty = &table{records: map[string][]byte{}}

func (s *Store) table(name string) *table {
	if t, ok := (*s.tables.Load())[name]; ok {
		return t
	}
	return empty
}

// replace publishes a new version of a table, unless the present one is as new, and
// calls its watchers.
func (s *Store) replace(name string, t *table) {
	s.mu.Lock()
	if s.table(name).rev >= t.rev {
		s.mu.Unlock()
		return
	}
	tables := maps.Clone(*s.tables.Load())
	tables[name] = t
	s.tables.Store(&tables)
	close(s.newer)
	s.newer = make(chan struct{})
	s.mu.Unlock()
	s.watchers.Call(name)
}

// Await waits until this node has a revision of a table, or a later one.
func (s *Store) Await(ctx context.Context, table string, revision uint64) error {
	for {
		s.mu.Lock()
		newer := s.newer
		s.mu.Unlock()
		if s.table(table).rev >= revision {
			return nil
		}
		select {
		case <-newer:
		case <-ctx.Done():
			return fmt.Errorf("wait for table %s: %w", table, ctx.Err())
		}
	}
}

// Newest are the revisions of all tables, as of some time after the call. It fails with
// [cluster.ErrLost] on a node that does not lead the meta shard.
func (s *Store) Newest(ctx context.Context) (map[string]uint64, error) {
	shard, ok := s.shards.Lead(cluster.MetaShard)
	if !ok {
		return nil, fmt.Errorf("newest tables: %w", cluster.ErrLost)
	}
	if err := shard.ReadBarrier(ctx); err != nil {
		return nil, fmt.Errorf("newest tables: %w", err)
	}
	revisions := make(map[string]uint64)
	err := shard.Entities(kind, "", func(name string, h cluster.Head) bool {
		revisions[name] = h.Rev
		return true
	})
	if err != nil {
		return nil, fmt.Errorf("newest tables: %w", err)
	}
	return revisions, nil
}

// Watch calls f after each change of a table. f must not block. stop ends the watch.
func (s *Store) Watch(table string, f func()) (stop func()) {
	return s.watchers.Add(func(changed string) {
		if changed == table {
			f()
		}
	})
}
