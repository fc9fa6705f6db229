package state

import (
	"encoding/binary"
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/cockroachdb/pebble/v2"

	"ssod/persistence/data"
	"ssod/persistence/layout"
)

// Posted counts what may have added events to a shard: while it is the same, there are none
// that were not there before.
func (s *Shards) Posted(id data.ShardID) uint64 {
	sh := s.shard(id)
	if sh == nil {
		return 0
	}
	return sh.posted.Load()
}

// Receivers are those that events wait for in a shard, or that dead letters were for, in
// order. There may be one without any.
func (s *Shards) Receivers(id data.ShardID, space byte) ([]uint64, error) {
	sh := s.shard(id)
	if sh == nil {
		return nil, nil
	}
	all := map[uint64]bool{}
	it, err := s.eventsFrom(id, sh, layout.EventSpan(id, space), func(ys layers) { ys.addReceivers(all, space) })
	if err != nil {
		return nil, fmt.Errorf("read receivers of events: %w", layout.Damaged(err))
	}
	defer it.Close()
	for ok := it.First(); ok; {
		key, err := layout.ParseEventKey(it.Key())
		if err != nil {
			return nil, err
		}
		all[key.Receiver()] = true
		end := layout.Successor(layout.AppendEventKey(nil, id, data.EventsOf(space, key.Receiver())))
		ok = end != nil && it.SeekGE(end)
	}
	if err := it.Error(); err != nil {
		return nil, fmt.Errorf("read receivers of events: %w", layout.Damaged(err))
	}
	return slices.Sorted(maps.Keys(all)), nil
}

// eventsFrom calls layers with those of the shard, and returns an iterator over what is on
// disk in a range, of the same moment.
func (s *Shards) eventsFrom(id data.ShardID, sh *shard, span pebble.KeyRange, layers func(layers)) (*pebble.Iterator, error) {
	sh.mu.RLock()
	defer sh.mu.RUnlock()
	layers(sh.layers())
	return s.db.NewIter(&pebble.IterOptions{LowerBound: span.Start, UpperBound: span.End})
}

// Events calls f for a receiver's events behind a sequence, or its dead letters, in order,
// until f returns false. f may keep what it gets.
func (s *Shards) Events(id data.ShardID, space byte, receiver, after uint64, f func(key data.EventKey, body []byte) bool) error {
	sh := s.shard(id)
	if sh == nil {
		return nil
	}
	l := look{of: layout.AppendEventKey(nil, id, data.EventsOf(space, receiver)), space: space, receiver: receiver, end: after}
	for most := firstLook; !l.over; most = min(2*most, longestLook) {
		if err := s.look(sh, &l, most, f); err != nil {
			return fmt.Errorf("read events: %w", layout.Damaged(err))
		}
	}
	return nil
}

// How many events of the layers a look at them visits. Callers that want only the next few
// should not pay for all, and writers wait meanwhile.
const (
	firstLook   = 16
	longestLook = 4096
)

// look is how far events are read.
type look struct {
	of       []byte // what their keys on disk begin with
	space    byte
	receiver uint64
	end      uint64 // the last sequence that was read
	over     bool   // nothing is left, or the caller wants no more
}

// look reads the next events, of one moment.
func (s *Shards) look(sh *shard, l *look, most int, f func(data.EventKey, []byte) bool) error {
	span := pebble.KeyRange{Start: binary.BigEndian.AppendUint64(slices.Clip(l.of), l.end+1), End: layout.Successor(l.of)}
	sh.mu.RLock()
	ys := sh.layers()
	new, end := ys.eventsOf(l.space, l.receiver, l.end, most)
	if l.over = end == math.MaxUint64; !l.over {
		span.End = binary.BigEndian.AppendUint64(slices.Clip(l.of), end+1)
	}
	it, err := s.db.NewIter(&pebble.IterOptions{LowerBound: span.Start, UpperBound: span.End})
	sh.mu.RUnlock()
	if err != nil {
		return err
	}
	defer it.Close()
	l.end = end
	hidden := func(k data.EventKey) bool {
		sh.mu.RLock()
		defer sh.mu.RUnlock()
		return ys.hide(k)
	}
	more, err := mergeEvents(new, it, hidden, f)
	l.over = l.over || !more
	return err
}

// hide reports whether an event on disk does not count.
func (ys layers) hide(k data.EventKey) bool {
	for _, y := range ys {
		if _, gone := y.events.gone[k]; gone || y.forgotten[k.Entity()] {
			return true
		}
	}
	return false
}

// mergeEvents calls f for the events in order until it returns false, once each: one may be
// in a layer and on disk, when its flush is about to end. Those in layers are copied.
func mergeEvents(new []queued, it *pebble.Iterator, hidden func(data.EventKey) bool, f func(data.EventKey, []byte) bool) (more bool, err error) {
	for ok := it.First(); ok; ok = it.Next() {
		key, err := layout.ParseEventKey(it.Key())
		if err != nil {
			return false, err
		}
		for len(new) > 0 && new[0].key < key {
			if !f(new[0].key, slices.Clone(new[0].body)) {
				return false, nil
			}
			new = new[1:]
		}
		if len(new) > 0 && new[0].key == key {
			continue // the layer's is the same
		}
		value, err := it.ValueAndErr()
		if err != nil {
			return false, err
		}
		if !hidden(key) && !f(key, slices.Clone(value)) {
			return false, nil
		}
	}
	for _, q := range new {
		if !f(q.key, slices.Clone(q.body)) {
			return false, nil
		}
	}
	return true, it.Error()
}

// findEvents reports which events of marks exist, as far as that matters.
func (s *Shards) findEvents(id data.ShardID, sh *shard, marks []data.Mark) ([]bool, error) {
	waits, unknown := make([]bool, len(marks)), make([]bool, len(marks))
	sh.mu.RLock()
	for i := range marks {
		found, over := sh.layers().has(marks[i].Key)
		waits[i], unknown[i] = found, !over
	}
	sh.mu.RUnlock()
	for i := range marks {
		if !unknown[i] {
			continue
		}
		if waits[i] = marks[i].Fate == data.Delivered; waits[i] {
			continue // to end what does not exist changes nothing
		}
		value, err := s.db.Read(layout.AppendEventKey(nil, id, marks[i].Key))
		if err != nil {
			return nil, err
		}
		waits[i] = value != nil
	}
	return waits, nil
}
