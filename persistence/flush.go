package persistence

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/cockroachdb/pebble/v2"
)

// flushBatch is from what size on a batch of a flush takes no further shard.
// What others write at the same time waits for it, a few milliseconds.
const flushBatch = 512 << 10

// Flush writes what the shards have applied since their last flush: the newest
// state of each changed entity, once and in order of keys, the outcomes, and how
// far they are, each shard atomically. It need not be synced: it comes behind the
// entries in the write-ahead log, and truncations of these come behind it.
//
// A disk that has not the room is not written to: Flush returns [ErrNoSpace],
// what was applied stays in memory and its entries in the log.
func (l *Log) Flush(shards ...ShardID) error {
	s := l.s
	if err := s.Err(); err != nil {
		return err
	}
	size := s.dirty.Load()
	if err := s.space.Room(size); err != nil {
		return fmt.Errorf("flush %d bytes: %w", size, err)
	}
	if len(shards) == 0 { // a flush of some leaves the others as due as they were
		s.flushedAt.Store(time.Now().UnixNano())
		s.touched.Store(false)
		s.logged.Store(0)
		shards = s.all()
	}
	if err := l.flush(slices.Sorted(slices.Values(shards))); err != nil {
		return err
	}
	s.flushes.Add(1)
	return nil
}

func (s *Store) all() []ShardID {
	ids := make([]ShardID, len(s.shards))
	for i := range ids {
		ids[i] = ShardID(i)
	}
	return ids
}

// Flushed is up to which entry a shard's state is on disk: its log may be
// truncated to there.
func (l *Log) Flushed(shard ShardID) uint64 {
	if sh := l.s.shard(shard); sh != nil {
		return sh.flushed.Load()
	}
	return 0
}

// flush is Flush for shards in order, without a look at the disk.
func (l *Log) flush(shards []ShardID) error {
	f := flush{s: l.s, batch: l.s.db.NewBatch()}
	defer f.end()
	for _, id := range shards {
		if err := f.add(id); err != nil {
			err = fmt.Errorf("flush shard %d: %w", id, err)
			l.s.fail(err) // some layer is taken and will not be written
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

// flush is a batch of shards that are being flushed.
type flush struct {
	s      *Store
	batch  *pebble.Batch
	shards []*flushed
}

// flushed is what a flush writes of a shard.
type flushed struct {
	id     ShardID
	sh     *shard
	layer  *layer
	done   progress
	blocks []*block // the shard's afterwards
}

// add adds a shard to the batch, and takes its lock until that is written.
func (f *flush) add(id ShardID) error {
	sh := f.s.shard(id)
	if sh == nil {
		return ErrInvalid
	}
	if !sh.writing.TryLock() { // it may be for long: keep nobody else waiting
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

// begin takes what is to be written; false when there is nothing.
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

// stage adds what is new of a shard. Nobody changes a layer that is flushed.
func (f *flush) stage(w *flushed) error {
	if err := f.batch.Set(logStateKey(w.id, logApplied), appendProgress(nil, &w.done), nil); err != nil {
		return err
	}
	limit := int64(w.done.Time) - OutcomeWindow.Milliseconds()
	forgotten := map[string]bool{}
	all := make([]*kept, 0, len(w.layer.outcomes.all))
	for _, e := range w.layer.sorted() {
		if e.forgot {
			forgotten[e.name()] = true
		}
		if err := f.entity(e); err != nil {
			return err
		}
		all = w.layer.outcomes.appendOf(all, e, limit)
	}
	return f.outcomes(w, limit, all, forgotten)
}

// sorted are the changes in order of their keys.
func (y *layer) sorted() []*change {
	return slices.SortedFunc(maps.Values(y.entities), func(a, b *change) int { return strings.Compare(a.key, b.key) })
}

// entity adds an entity's head and records.
func (f *flush) entity(e *change) error {
	if e.wiped {
		key := []byte(e.key)
		if err := f.batch.DeleteRange(append(key, 0), successor(key), nil); err != nil {
			return err
		}
	}
	if e.rev == 0 {
		return f.batch.Delete([]byte(e.key), nil)
	}
	f.s.written.Add(1)
	op := f.batch.SetDeferred(len(e.key), e.headLen())
	copy(op.Key, e.key)
	appendHead(op.Value[:0], e)
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

// outcomes adds a shard's new blocks of outcomes and deletes those that are not after
// the limit. What is forgotten leaves the others.
func (f *flush) outcomes(w *flushed, limit int64, all []*kept, forgotten map[string]bool) error {
	kept, gone := w.sh.blocksAfter(limit)
	w.blocks = kept
	for _, k := range gone {
		if err := f.batch.Delete(k.key, nil); err != nil {
			return err
		}
	}
	if len(forgotten) > 0 {
		if err := f.s.stageForgotten(f.batch, w.blocks, forgotten); err != nil {
			return err
		}
	}
	blocks, err := stageBlocks(f.batch, w.id, w.done.Index, int64(w.done.Time), all)
	w.blocks = append(w.blocks, blocks...)
	return err
}

// commit writes the batch. From then on reads find in Pebble what is in it.
func (f *flush) commit() error {
	if len(f.shards) == 0 {
		return nil
	}
	f.s.stateBatches.Add(1)
	f.s.stateBytes.Add(int64(f.batch.Len()))
	if err := f.s.commit(f.batch, pebble.NoSync); err != nil {
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

// end drops the layer that was written. What is now stored is remembered first,
// so that nobody believes what was read before.
func (w *flushed) end(s *Store) {
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

// end lets go of the shards of a batch that was not written.
func (f *flush) end() {
	for _, w := range f.shards {
		w.sh.writing.Unlock()
	}
	f.batch.Close()
}

// When a flush is due.
const (
	// flushLog is how many bytes may have been added to the logs since the last
	// flush, at most three eighths of a memtable,
	flushLog = 64 << 20
	// flushAge and for how long something may have been applied that is not on disk.
	// How much is Options.UnflushedBytes.
	flushAge = 10 * time.Second
)

// maxLog is [flushLog] for the size of the memtables: what is flushed because of
// it, and the truncations behind it, must find room in the memtable that holds
// the entries. So these never get into tables.
func (o *Options) maxLog() int64 { return min(flushLog, int64(o.MemTableBytes)*3/8) }

// maxDirty is when changes are refused; at twice that whoever applies waits.
func (o *Options) maxDirty() int64 { return 4 * o.UnflushedBytes }

// FlushDue yields when it is time for [Log.Flush].
func (l *Log) FlushDue() <-chan struct{} { return l.s.due }

// noteApplied asks for a flush when enough was applied.
func (s *Store) noteApplied() {
	s.touched.Store(true)
	if s.dirty.Load() >= s.opts.UnflushedBytes {
		s.wantFlush()
	}
}

// noteLogged asks for a flush when the logs have grown enough.
func (s *Store) noteLogged(size int64) {
	if s.logged.Add(size) >= s.opts.maxLog() {
		s.wantFlush()
	}
}

// noteAge asks for a flush when the last one was long ago.
func (s *Store) noteAge() {
	if s.touched.Load() && time.Since(time.Unix(0, s.flushedAt.Load())) >= flushAge {
		s.wantFlush()
	}
}

func (s *Store) wantFlush() {
	select {
	case s.due <- struct{}{}:
	default:
	}
}

// Turn lets Pebble write its memtable to a table, if it is half full at least. It
// is called after a flush, when the entries up to it are truncated: they are
// dropped then instead of written.
func (l *Log) Turn() error {
	s := l.s
	if s.memory.Load() < int64(s.opts.MemTableBytes)/2 {
		return nil
	}
	s.memory.Store(0)
	_, err := s.db.AsyncFlush()
	return err
}

// counters count what is written of states, for tests and metrics.
type counters struct {
	flushes      atomic.Int64 // finished
	stateBatches atomic.Int64
	stateBytes   atomic.Int64
	written      atomic.Int64 // heads
	lookups      atomic.Int64 // of revisions that were not remembered
	blockReads   atomic.Int64 // of blocks of outcomes
}
