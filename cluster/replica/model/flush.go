package model

import (
	"maps"
	"slices"
	"strings"

	"ssod/cluster/replica/core"
	"ssod/cluster/replica/internal/planted"
)

// Flush writes what was applied to some shards, all if none are given. It is not
// synced: a crash may lose it, and with it everything that was written after it.
func (s *Store) Flush(shards ...core.ShardID) {
	if len(shards) == 0 {
		shards = slices.Sorted(maps.Keys(s.current.shards))
	}
	for _, id := range shards {
		s.BeginFlush(id)
		s.FinishFlush(id)
	}
}

// BeginFlush starts to flush what was applied to a shard.
func (s *Store) BeginFlush(id core.ShardID) {
	sh := s.current.shards[id]
	if sh == nil {
		return
	}
	m := s.of(id)
	m.flushing = &memory{applied: m.applied, state: m.state.clone()}
	m.before = &memory{applied: sh.applied, state: sh.state}
	if s.bugs.Has(planted.OutcomeLostInFlush) {
		m.flushing.state.loseOutcomes()
	}
	if s.bugs.Has(planted.EventLostInFlush) {
		m.flushing.state.loseEvents()
	}
}

// FinishFlush writes what was taken, unless a snapshot was installed meanwhile.
func (s *Store) FinishFlush(id core.ShardID) {
	m := s.memory[id]
	if m == nil || m.flushing == nil {
		return
	}
	f := m.flushing
	m.flushing, m.before = nil, nil
	if f.applied.Index < s.current.shards[id].applied.Index {
		return // a configuration was flushed meanwhile
	}
	s.write(func(d *disk) { d.shards[id].applied, d.shards[id].state = f.applied, f.state })
}

// Flushed is the index up to which a shard's state is on disk.
func (s *Store) Flushed(id core.ShardID) uint64 {
	if sh := s.current.shards[id]; sh != nil {
		return sh.applied.Index
	}
	return 0
}

// loseOutcomes is a mistake.
func (s *state) loseOutcomes() {
	for k := range s.kv {
		if strings.HasPrefix(k, "o\x00") {
			s.delete(k)
		}
	}
	s.queue = nil
}
