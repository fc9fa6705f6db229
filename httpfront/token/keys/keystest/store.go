// Package keystest has what tests need to open a key ring, or anything else
// that lives in meta tables, without a cluster.
package keystest

import (
	"bytes"
	"context"
	"iter"
	"maps"
	"slices"
	"sync"

	"ssod/cluster"
)

// Store keeps meta tables in memory. The zero Store is empty and ready. It is
// safe for concurrent use.
type Store struct {
	mu        sync.Mutex
	tables    map[string]map[string][]byte
	revisions map[string]uint64 // how often each table was changed
	watches   []func(table string)
	fail      error
}

// Fail makes each change fail with err and change nothing; nil ends that.
func (s *Store) Fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fail = err
}

// Get returns the value of a key.
func (s *Store) Get(table, key string) ([]byte, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	value, found := s.tables[table][key]
	return value, found
}

// All yields the records of a table in order of key.
func (s *Store) All(table string) iter.Seq2[string, []byte] {
	s.mu.Lock()
	records := maps.Clone(s.tables[table])
	s.mu.Unlock()
	return func(yield func(string, []byte) bool) {
		for _, key := range slices.Sorted(maps.Keys(records)) {
			if !yield(key, records[key]) {
				return
			}
		}
	}
}

// Records returns the records of a table in order of key, and its revision.
func (s *Store) Records(table string) (records iter.Seq2[string, []byte], revision uint64) {
	s.mu.Lock()
	revision = s.revisions[table]
	s.mu.Unlock()
	return s.All(table), revision
}

// Revision is how often a table was changed.
func (s *Store) Revision(table string) uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.revisions[table]
}

// Update is Change of a table that has a certain revision; it fails with
// [cluster.ErrRejected] when it has another.
func (s *Store) Update(_ context.Context, table string, revision uint64, puts map[string][]byte, deletes []string) error {
	return s.change(table, &revision, puts, deletes)
}

// Change writes and deletes records, then calls the watches of the table.
func (s *Store) Change(_ context.Context, table string, puts map[string][]byte, deletes []string) error {
	return s.change(table, nil, puts, deletes)
}

func (s *Store) change(table string, revision *uint64, puts map[string][]byte, deletes []string) error {
	s.mu.Lock()
	switch {
	case s.fail != nil:
		defer s.mu.Unlock()
		return s.fail
	case revision != nil && *revision != s.revisions[table]:
		defer s.mu.Unlock()
		return cluster.ErrRejected
	case s.tables == nil:
		s.tables, s.revisions = make(map[string]map[string][]byte), make(map[string]uint64)
	}
	if s.tables[table] == nil {
		s.tables[table] = make(map[string][]byte)
	}
	s.revisions[table]++
	for key, value := range puts {
		s.tables[table][key] = bytes.Clone(value)
	}
	for _, key := range deletes { // after the puts, as in a meta table
		delete(s.tables[table], key)
	}
	watches := slices.Clone(s.watches)
	s.mu.Unlock()
	for _, f := range watches {
		f(table)
	}
	return nil
}

// Watch calls f after each change of a table.
func (s *Store) Watch(table string, f func()) (stop func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := len(s.watches)
	s.watches = append(s.watches, func(changed string) {
		if changed == table {
			f()
		}
	})
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.watches[i] = func(string) {}
	}
}
