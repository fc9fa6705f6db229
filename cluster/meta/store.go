package meta

import (
	"context"
	"fmt"
	"iter"
	"maps"
	"sync"
	"sync/atomic"

	"ssod/cluster"
)

// Store holds all tables. It is safe for concurrent use.
type Store struct {
	shards   cluster.Shards
	tables   atomic.Pointer[map[string]*table]
	changing chan struct{} // has room for one: whoever is changing tables

	mu       sync.Mutex
	watchers map[int]watcher
	nextID   int
}

type watcher struct {
	table string
	f     func()
}

// Open loads all tables from the meta shard. It waits until ctx ends for this
// node to lead that shard.
func Open(ctx context.Context, shards cluster.Shards) (*Store, error) {
	s := &Store{shards: shards, changing: make(chan struct{}, 1), watchers: map[int]watcher{}}
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
	value, ok := s.table(table).records[key]
	return value, ok
}

// All yields the keys and values of a table in order of key, as they are when
// the iteration begins. Values must not be changed.
func (s *Store) All(table string) iter.Seq2[string, []byte] {
	return func(yield func(string, []byte) bool) { s.table(table).all(yield) }
}

var empty = &table{records: map[string][]byte{}}

func (s *Store) table(name string) *table {
	if t, ok := (*s.tables.Load())[name]; ok {
		return t
	}
	return empty
}

// replace shows a new version of a table. Only whoever is changing may call it.
func (s *Store) replace(name string, t *table) {
	tables := maps.Clone(*s.tables.Load())
	tables[name] = t
	s.tables.Store(&tables)
}

// Watch calls f after each change of a table, from the goroutine that made it.
// f must not block. The returned function ends the watch.
func (s *Store) Watch(table string, f func()) (stop func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	id := s.nextID
	s.nextID++
	s.watchers[id] = watcher{table, f}
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.watchers, id)
	}
}

func (s *Store) signal(table string) {
	s.mu.Lock()
	var fs []func()
	for _, w := range s.watchers {
		if w.table == table {
			fs = append(fs, w.f)
		}
	}
	s.mu.Unlock()
	for _, f := range fs {
		f()
	}
}
