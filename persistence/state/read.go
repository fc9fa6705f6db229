package state

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"ssod/persistence/data"
	"ssod/persistence/layout"
)

// Reads look into the layers of a shard first and then at what is on disk. A
// layer is dropped when its flush is in Pebble, so nothing is missed between.

// Time is the shard's time: the latest of all commits applied to it. Only a reset sets it
// back.
func (s *Shards) Time(id data.ShardID) time.Time {
	sh := s.shard(id)
	if sh == nil {
		return time.UnixMilli(0).UTC()
	}
	return time.UnixMilli(sh.time.Load()).UTC()
}

// Head returns an entity's head; false when it does not exist.
func (s *Shards) Head(id data.ShardID, e data.Entity) (data.Head, bool, error) {
	sh := s.shard(id)
	if sh == nil {
		return data.Head{}, false, nil
	}
	k := s.salt.AppendHeadKey(make([]byte, 0, 128), id, e)
	if h, ok, found := sh.head(k); found {
		return h, ok, nil
	}
	h, ok, err := s.head(sh, k)
	if err != nil {
		return data.Head{}, false, fmt.Errorf("read head of a %s: %w", e.Kind, err)
	}
	return h, ok, nil
}

// head reads the head with the key k from the layers.
func (sh *shard) head(k []byte) (h data.Head, exists, found bool) {
	sh.mu.RLock()
	defer sh.mu.RUnlock()
	e := sh.layers().find(string(k[layout.ShardKeyLen:]))
	if e == nil {
		return data.Head{}, false, false
	}
	h, exists = e.head()
	return h, exists, true
}

// head reads the head with the key k from disk and caches its revision, because a change
// is likely to follow.
func (s *Shards) head(sh *shard, k []byte) (h data.Head, ok bool, err error) {
	if s.absent(sh, k) {
		return data.Head{}, false, nil
	}
	epoch := s.revs.now()
	b, err := s.db.Read(k)
	if err != nil {
		return data.Head{}, false, err
	}
	var parts bool
	if b != nil {
		if _, h, parts, err = layout.ParseHead(b); err != nil {
			return data.Head{}, false, err
		}
	}
	s.revs.seen(k, revision{rev: h.Rev, parts: parts}, epoch)
	return h, b != nil, nil
}

// Outcome returns the result of a step of a request if it is still kept. It is
// cheap when there is none: filters answer without reading a block.
func (s *Shards) Outcome(id data.ShardID, e data.Entity, r data.RequestID, step uint32) ([]byte, bool, error) {
	sh := s.shard(id)
	if sh == nil {
		return nil, false, nil
	}
	k := s.salt.AppendEntity(make([]byte, 0, 64), e)
	result, ok, err := s.outcome(id, sh, string(k), r, step)
	if err != nil {
		return nil, false, fmt.Errorf("read outcome of a %s: %w", e.Kind, err)
	}
	return result, ok, nil
}

func (s *Shards) outcome(id data.ShardID, sh *shard, key string, r data.RequestID, step uint32) ([]byte, bool, error) {
	if !sh.loaded.Load() {
		sh.writing.Lock()
		err := s.loadBlocks(id, sh)
		sh.writing.Unlock()
		if err != nil {
			return nil, false, err
		}
	}
	var room [4]*block
	sh.mu.RLock()
	here, over := sh.layers().outcome(key, r, step)
	found := here != nil && sh.keeps(here.time)
	var result []byte
	if found {
		result = append([]byte{}, here.result...)
	}
	candidates := room[:0]
	for _, k := range sh.blocks {
		if !over && sh.keeps(k.time) && k.filter.maybe(r, step) {
			candidates = append(candidates, k)
		}
	}
	sh.mu.RUnlock()
	for _, k := range slices.Backward(candidates) {
		s.blockReads.Add(1)
		result, found, err := k.find(s.db, key, r, step)
		if found || err != nil {
			return result, found, err
		}
	}
	return result, found, nil
}

// Records calls f for each record of an entity, in order of part, until f returns false.
// part and value are valid during the call.
func (s *Shards) Records(id data.ShardID, e data.Entity, f func(part, value []byte) bool) error {
	sh := s.shard(id)
	if sh == nil {
		return nil
	}
	k := s.salt.AppendHeadKey(make([]byte, 0, 128), id, e)
	new, it, err := s.recordsOf(sh, k)
	if err != nil {
		return fmt.Errorf("read records of a %s: %w", e.Kind, layout.Damaged(err))
	}
	if it == nil {
		for _, r := range new {
			if r.Value != nil && !f([]byte(r.Part), r.Value) {
				return nil
			}
		}
		return nil
	}
	defer it.Close()
	if err := mergeRecords(new, it, len(k), f); err != nil {
		return fmt.Errorf("read records of a %s: %w", e.Kind, layout.Damaged(err))
	}
	return nil
}

// recordsOf returns the layers' records of an entity and an iterator over those on disk,
// of the same moment; nil when these do not count.
func (s *Shards) recordsOf(sh *shard, k []byte) ([]data.Record, *pebble.Iterator, error) {
	sh.mu.RLock()
	defer sh.mu.RUnlock()
	new, wiped := sh.layers().records(string(k[layout.ShardKeyLen:]))
	if wiped {
		return new, nil, nil
	}
	it, err := s.db.NewIter(&pebble.IterOptions{LowerBound: append(slices.Clip(k), 0), UpperBound: layout.Successor(k)})
	return new, it, err
}

// mergeRecords calls f for the records in order; a new one hides that on disk.
func mergeRecords(new []data.Record, it *pebble.Iterator, prefix int, f func(part, value []byte) bool) error {
	ok := it.First()
	for ok || len(new) > 0 {
		order := 1 // below zero: the new record is first; zero: both have the same part
		switch {
		case !ok:
			order = -1
		case len(new) > 0:
			order = bytes.Compare([]byte(new[0].Part), it.Key()[prefix:])
		}
		if order > 0 {
			value, err := it.ValueAndErr()
			if err != nil {
				return err
			}
			if !f(it.Key()[prefix:], value) {
				return nil
			}
			ok = it.Next()
			continue
		}
		if r := new[0]; r.Value != nil && !f([]byte(r.Part), r.Value) {
			return nil
		}
		new = new[1:]
		if order == 0 {
			ok = it.Next()
		}
	}
	return it.Error()
}

// entity is a head in the order of keys.
type entity struct {
	key      string // behind the shard
	identity string
	head     data.Head
	exists   bool
}

// Entities calls f for the entities of one kind behind the identity after ("": from the
// first), in the order of their keys, which is not that of identities, until f returns
// false.
func (s *Shards) Entities(id data.ShardID, kind, after string, f func(identity string, h data.Head) bool) error {
	sh := s.shard(id)
	if sh == nil {
		return nil
	}
	span := layout.SlotSpan(id, 0, data.Slots-1)
	if after != "" {
		span.Start = layout.Successor(s.salt.AppendHeadKey(nil, id, data.Entity{Kind: kind, Identity: after}))
	}
	new, it, err := s.entitiesFrom(sh, kind, span)
	if err != nil {
		return fmt.Errorf("read entities of kind %s: %w", kind, layout.Damaged(err))
	}
	defer it.Close()
	return layout.Damaged(mergeEntities(new, &headsOf{Iterator: it, shard: id, kind: []byte(kind)}, f))
}

// entitiesFrom returns the layers' entities of a kind between two keys, in order, and an
// iterator over what is on disk there, of the same moment.
func (s *Shards) entitiesFrom(sh *shard, kind string, span pebble.KeyRange) ([]entity, *pebble.Iterator, error) {
	from, kindly := string(span.Start[layout.ShardKeyLen:]), string(layout.AppendKind(nil, kind))
	seen := map[string]bool{}
	var new []entity
	sh.mu.RLock()
	defer sh.mu.RUnlock()
	for _, y := range sh.layers() {
		for k, e := range y.entities {
			if k >= from && strings.HasPrefix(k[layout.SlotLen:], kindly) && !seen[k] {
				seen[k] = true
				h, ok := e.head()
				new = append(new, entity{k, e.identity, h, ok})
			}
		}
	}
	slices.SortFunc(new, func(a, b entity) int { return strings.Compare(a.key, b.key) })
	it, err := s.db.NewIter(&pebble.IterOptions{LowerBound: span.Start, UpperBound: span.End})
	return new, it, err
}

// headsOf iterates over the heads of one kind on disk, which are contiguous within a slot,
// and jumps over what is between them.
type headsOf struct {
	*pebble.Iterator
	shard data.ShardID
	kind  []byte
	room  []byte // for the key to jump to
}

// settle moves from the iterator's position to the next head of the kind.
func (h *headsOf) settle(valid bool) (bool, error) {
	for valid {
		k, part, err := layout.SplitEntity(h.Key()[layout.ShardKeyLen:])
		if err != nil {
			return false, err
		}
		order := cmp.Or(cmp.Compare(len(k.Kind), len(h.kind)), bytes.Compare(k.Kind, h.kind))
		switch {
		case order == 0 && len(part) == 0:
			return true, nil
		case order == 0: // a record
			valid = h.SeekGE(layout.Successor(h.Key()[:len(h.Key())-len(part)]))
		case order < 0:
			valid = h.jump(k.Slot)
		case k.Slot == data.Slots-1:
			return false, nil
		default:
			valid = h.jump(k.Slot + 1)
		}
	}
	return false, h.Error()
}

// jump goes to the first head of the kind in a slot, or behind it.
func (h *headsOf) jump(slot data.Slot) bool {
	h.room = layout.AppendSlot(layout.AppendShard(h.room[:0], h.shard, layout.SubEntity), slot)
	h.room = append(append(h.room, byte(len(h.kind))), h.kind...)
	return h.SeekGE(h.room)
}

// mergeEntities calls f for every head; a new one hides that on disk.
func mergeEntities(new []entity, it *headsOf, f func(identity string, h data.Head) bool) error {
	ok, err := it.settle(it.First())
	for err == nil && (ok || len(new) > 0) {
		order := 1 // as in mergeRecords
		switch {
		case !ok:
			order = -1
		case len(new) > 0:
			order = strings.Compare(new[0].key, string(it.Key()[layout.ShardKeyLen:]))
		}
		e := entity{exists: true}
		if order > 0 {
			if e.identity, e.head, err = it.head(); err != nil {
				return err
			}
		} else {
			e, new = new[0], new[1:]
		}
		if e.exists && !f(e.identity, e.head) {
			return nil
		}
		if order >= 0 {
			ok, err = it.settle(it.Next())
		}
	}
	return err
}

// head copies the head at the iterator.
func (h *headsOf) head() (string, data.Head, error) {
	value, err := h.ValueAndErr()
	if err != nil {
		return "", data.Head{}, err
	}
	identity, head, _, err := layout.ParseHead(append([]byte(nil), value...))
	return string(identity), head, err
}
