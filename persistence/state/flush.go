package state

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"ssod/persistence/data"
	"ssod/persistence/layout"
)

// flushBatch is the size at which a batch of a flush takes no further shard. Concurrent
// writes wait for it, a few milliseconds.
const flushBatch = 512 << 10

// Flush writes what the shards have applied since their last flush: the newest state of
// each changed entity, in order of keys, the outcomes, and how far they are, each shard
// atomically. It need not be synced: in the write-ahead log it is behind the entries, and
// their truncation is behind it.
//
// Without room on the disk it fails with [disk.ErrNoSpace]: what was applied stays in
// memory and its entries in the log.
func (s *Shards) Flush(shards ...data.ShardID) error {
	if err := s.db.Err(); err != nil {
		return err
	}
	size := s.dirty.Load()
	if err := s.config.Space.Room(size); err != nil {
		return fmt.Errorf("flush %d bytes: %w", size, err)
	}
	if len(shards) == 0 { // a flush of some leaves the others as due as they were
		s.flushedAt.Store(time.Now().UnixNano())
		s.touched.Store(false)
		s.logged.Store(0)
		shards = s.all()
	}
	return s.flush(slices.Sorted(slices.Values(shards)))
}

// FlushShard is Flush of one shard that does not check the free space.
func (s *Shards) FlushShard(id data.ShardID) error { return s.flush([]data.ShardID{id}) }

// flush is Flush for shards in order, without checking the free space.
func (s *Shards) flush(shards []data.ShardID) error {
	f := flush{s: s, batch: s.db.NewBatch()}
	defer f.end()
	for _, id := range shards {
		if err := f.add(id); err != nil {
			err = fmt.Errorf("flush shard %d: %w", id, err)
			s.db.Fail(err) // some layer is taken and will not be written
			return err
		}
		if f.batch.Len() >= flushBatch {
			if err := f.commit(); err != nil {
				return err
			}
		}
	}
	return f.commit()
}

// flush is a batch of shards.
type flush struct {
	s      *Shards
	batch  *pebble.Batch
	shards []*flushed
}

// flushed is what a flush writes of a shard.
type flushed struct {
	id     data.ShardID
	sh     *shard
	layer  *layer
	done   layout.Progress
	blocks []*block // the shard's afterwards
}

// add adds a shard to the batch, and holds its lock until that is written.
func (f *flush) add(id data.ShardID) error {
	sh := f.s.shard(id)
	if sh == nil {
		return data.ErrInvalid
	}
	if !sh.writing.TryLock() { // this may take long: keep no other shard waiting
		if err := f.commit(); err != nil {
			return err
		}
		sh.writing.Lock()
	}
	w := &flushed{id: id, sh: sh}
	if !w.begin() {
		sh.writing.Unlock()
		return nil
	}
	f.shards = append(f.shards, w)
	if err := f.s.loadBlocks(id, sh); err != nil {
		return err
	}
	return f.stage(w)
}

// begin takes the layer to write; false when there is nothing.
func (w *flushed) begin() bool {
	w.sh.mu.Lock()
	defer w.sh.mu.Unlock()
	if !w.sh.changed {
		return false
	}
	w.layer, w.done = w.sh.active, w.sh.done
	w.sh.active, w.sh.flushing, w.sh.changed = newLayer(w.layer), w.layer, false
	return true
}

// stage adds the changes of a shard. A layer that is being flushed does not change.
func (f *flush) stage(w *flushed) error {
	if err := w.done.Set(f.batch, w.id); err != nil {
		return err
	}
	limit := int64(w.done.Time) - data.OutcomeWindow.Milliseconds()
	all := make([]*kept, 0, len(w.layer.outcomes.all))
	for _, e := range w.layer.sorted() {
		if err := f.entity(e); err != nil {
			return err
		}
		all = w.layer.outcomes.appendOf(all, e, limit)
	}
	if err := f.events(w); err != nil {
		return err
	}
	return f.outcomes(w, limit, all)
}

// sorted are the changes in order of their keys.
func (y *layer) sorted() []*change {
	return slices.SortedFunc(maps.Values(y.entities), func(a, b *change) int { return strings.Compare(a.key, b.key) })
}

// entity adds an entity's head and records.
func (f *flush) entity(e *change) error {
	if e.wiped {
		key := []byte(e.key)
		if err := f.batch.DeleteRange(append(key, 0), layout.Successor(key), nil); err != nil {
			return err
		}
	}
	if e.rev == 0 {
		return f.batch.Delete([]byte(e.key), nil)
	}
	f.s.written.Add(1)
	op := f.batch.SetDeferred(len(e.key), layout.HeadLen(e.identity, e.state))
	copy(op.Key, e.key)
	layout.AppendHead(op.Value[:0], e.identity, data.Head{Rev: e.rev, Schema: e.schema, State: e.state}, e.parts)
	if err := op.Finish(); err != nil {
		return err
	}
	if len(e.records) == 0 {
		return nil // most have none
	}
	for _, part := range slices.Sorted(maps.Keys(e.records)) {
		key := []byte(e.key + part)
		var err error
		if value := e.records[part]; value == nil {
			err = f.batch.Delete(key, nil)
		} else {
			err = f.batch.Set(key, value, nil)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// outcomes adds a shard's new blocks of outcomes, deletes those up to the limit, and
// removes forgotten entities from the others.
func (f *flush) outcomes(w *flushed, limit int64, all []*kept) error {
	kept, gone := w.sh.blocksAfter(limit)
	w.blocks = kept
	for _, k := range gone {
		if err := f.batch.Delete(k.key, nil); err != nil {
			return err
		}
	}
	if len(w.layer.forgotten) > 0 {
		if err := f.s.stageForgotten(f.batch, w.blocks, w.layer.forgotten); err != nil {
			return err
		}
	}
	blocks, err := stageBlocks(f.batch, w.id, w.done.Index, int64(w.done.Time), all)
	w.blocks = append(w.blocks, blocks...)
	return err
}

// stageForgotten writes blocks again without the outcomes of some entities.
func (s *Shards) stageForgotten(b *pebble.Batch, blocks []*block, gone map[string]bool) error {
	for _, k := range blocks {
		value, err := s.db.Read(k.key)
		if err != nil {
			return err
		}
		if value == nil {
			continue
		}
		rest := slices.Clone(value[:min(8, len(value))])
		err = outcomesIn(value, func(entity, request []byte, step uint32, result []byte) bool {
			if !gone[string(entity)] {
				rest = appendOutcome(rest, string(entity), data.RequestID(request), step, result)
			}
			return true
		})
		if err == nil && len(rest) < len(value) {
			err = b.Set(k.key, rest, nil)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// commit writes the batch. From then on reads find it in Pebble.
func (f *flush) commit() error {
	if len(f.shards) == 0 {
		return nil
	}
	f.s.stateBatches.Add(1)
	if err := f.s.db.Commit(f.batch, pebble.NoSync); err != nil {
		return err
	}
	for _, w := range f.shards {
		w.end(f.s)
	}
	f.shards = f.shards[:0]
	f.batch.Close()
	f.batch = f.s.db.NewBatch()
	return nil
}

// end drops the layer that was written. It first caches the new revisions, so that older
// ones read before do not count.
func (w *flushed) end(s *Shards) {
	for _, e := range w.layer.entities {
		s.revs.put(e.key, e.revision())
	}
	w.sh.mu.Lock()
	w.sh.flushing = nil
	for _, k := range w.blocks {
		k.time = min(k.time, w.sh.time.Load()) // it may have been set back meanwhile
	}
	w.sh.blocks = w.blocks
	w.sh.mu.Unlock()
	w.sh.flushed.Store(w.done.Index)
	w.sh.writing.Unlock()
	s.dirty.Add(-int64(w.layer.bytes))
	s.room.wake()
}

// end unlocks the shards of a batch that was not written.
func (f *flush) end() {
	for _, w := range f.shards {
		w.sh.writing.Unlock()
	}
	f.batch.Close()
}
