package persistence

import (
	"encoding/binary"
	"fmt"
	"sync"

	"github.com/cockroachdb/pebble/v2"
	pb "go.etcd.io/raft/v3/raftpb"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
)

// Log is the replication log of all shards and the way their entries become
// state. It lies in the same Pebble as the state, whose write-ahead log a crash
// can only shorten: a flushed state is never there without the log that it came
// from, nor a truncation without the state that it rests on.
//
// [Log.Append], [Log.Apply] and [Log.Flush] may run beside each other, none beside
// itself. What concerns one shard's creation, installation and destruction is not
// called beside its appends and applies.
type Log struct {
	s    *Store
	mu   sync.Mutex
	last map[ShardID]uint64 // the end of each log
	gone map[ShardID]uint64 // up to where each log was truncated since the start
}

// Log returns the replication log of the store, of which a process uses one. It
// is the only way to change what a shard holds.
func (s *Store) Log() *Log {
	return &Log{s: s, last: make(map[ShardID]uint64), gone: make(map[ShardID]uint64)}
}

// Append writes all of writes as one batch. With sync it returns when the
// batch, and everything written before it, is on disk. A log that was there
// before is scanned first.
func (l *Log) Append(writes []LogWrite, sync bool) error {
	w, err := l.Begin(writes, sync)
	if err != nil {
		return err
	}
	return w.Wait()
}

// Write is an append that is on its way to disk.
type Write struct {
	log      *Log
	batch    *pebble.Batch // nil: nobody wants to know when it is on disk
	sequence uint64
}

// Begin is Append without the wait: Pebble has the batch in its queue when it
// returns. Every write must be waited for, in the order in which they began.
func (l *Log) Begin(writes []LogWrite, sync bool) (*Write, error) {
	number := l.number(sync)
	b := l.s.db.NewBatchWithSize(batchSize(writes))
	for i := range writes {
		if err := l.stageWrite(b, &writes[i]); err != nil {
			b.Close()
			err = fmt.Errorf("append to log of shard %d: %w", writes[i].Shard, err)
			l.s.fail(err) // the number is taken, and memory may know what is not there
			return nil, err
		}
	}
	l.s.noteLogged(int64(b.Len()))
	if number == 0 {
		defer b.Close()
		return &Write{}, l.s.commit(b, pebble.NoSync)
	}
	if err := l.stageSequence(b, number); err != nil {
		b.Close()
		return nil, err
	}
	l.s.memory.Add(int64(b.Len()))
	return &Write{log: l, batch: b, sequence: number}, l.guard(func() error { return l.s.db.ApplyNoSyncWait(b, pebble.Sync) })
}

// batchSize is about how long the batch of some writes gets: what it has beside the
// entries is little, and so is what an entry has beside its data.
func batchSize(writes []LogWrite) int {
	n := 256
	for i := range writes {
		n += 64
		for _, e := range writes[i].Entries {
			n += 48 + len(e.GetData())
		}
	}
	return n
}

// number returns the number of a batch that is synced, 0 for one that is not.
func (l *Log) number(sync bool) uint64 {
	if !sync {
		return 0
	}
	return l.s.sequence.Add(1)
}

// stageSequence numbers a synced batch. Number and count let the next start
// find out that batches were lost. They also make the batch one that Pebble
// syncs when nothing else is in it: a promise may rest on what was written
// before alone.
func (l *Log) stageSequence(b *pebble.Batch, number uint64) error {
	var v [8]byte
	binary.BigEndian.PutUint64(v[:], number)
	if err := b.Set(sequenceKey, v[:], nil); err != nil {
		return err
	}
	return b.Merge(countKey, one, nil)
}

// Wait returns when the write, and everything written before it, is on disk.
// Without sync it returns at once.
func (w *Write) Wait() error {
	if w.batch == nil {
		return nil
	}
	if err := w.log.guard(w.batch.SyncWait); err != nil {
		return err
	}
	w.log.s.durable.advance(w.sequence)
	return w.batch.Close()
}

// stageWrite adds one shard's write to a batch.
func (l *Log) stageWrite(b *pebble.Batch, w *LogWrite) error {
	if err := l.stageEntries(b, w.Shard, w.Entries); err != nil {
		return err
	}
	if w.Hard != nil {
		if err := setMessage(b, logStateKey(w.Shard, logHard), w.Hard); err != nil {
			return err
		}
	}
	if w.Truncate.Index == 0 {
		return nil
	}
	return l.stageTruncation(b, w.Shard, w.Truncate)
}

// stageTruncation removes the entries up to p, which the state must not need any
// more, see [Log.Flushed]. What earlier truncations have
// removed is left out, so that their ranges do not overlap and Pebble need not
// cut them up.
func (l *Log) stageTruncation(b *pebble.Batch, shard ShardID, p Position) error {
	if at := l.Flushed(shard); p.Index > at {
		return fmt.Errorf("truncated to %d, but the state on disk is at %d", p.Index, at)
	}
	l.mu.Lock()
	from, to := l.gone[shard], p.Index+1
	l.gone[shard] = max(from, to)
	l.mu.Unlock()
	if from < to {
		if err := b.DeleteRange(entryKey(shard, from), entryKey(shard, to), nil); err != nil {
			return err
		}
	}
	return b.Set(logStateKey(shard, logTruncated), sealed(encodePosition(p)), nil)
}

// stageEntries appends entries in place of those that are at their indexes and
// behind.
func (l *Log) stageEntries(b *pebble.Batch, shard ShardID, entries []*pb.Entry) error {
	if len(entries) == 0 {
		return nil
	}
	first, end := entries[0].GetIndex(), entries[len(entries)-1].GetIndex()
	if last := l.end(shard); last > end {
		if err := b.DeleteRange(entryKey(shard, end+1), entryKey(shard, last+1), nil); err != nil {
			return err
		}
	}
	for i, e := range entries {
		if e.GetIndex() != first+uint64(i) {
			return fmt.Errorf("entry %d after %d", e.GetIndex(), first+uint64(i)-1)
		}
		if err := setMessage(b, entryKey(shard, e.GetIndex()), e); err != nil {
			return err
		}
	}
	l.setEnd(shard, end)
	return nil
}

func (l *Log) end(shard ShardID) uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.last[shard]
}

func (l *Log) setEnd(shard ShardID, index uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.last[shard] = index
}

// sync makes everything durable that was written.
func (l *Log) sync() error {
	return l.guard(func() error { return l.s.db.LogData(nil, pebble.Sync) })
}

// guard does a write; see [Store.guard].
func (l *Log) guard(write func() error) error { return l.s.guard(write) }

// Entries returns the entries from lo up to hi, fewer when they are longer than
// limit bytes together, and at least one.
func (l *Log) Entries(shard ShardID, lo, hi, limit uint64) ([]*pb.Entry, error) {
	var es []*pb.Entry
	var size uint64
	err := l.walk(shard, lo, hi, func(b []byte) (index uint64, more bool, err error) {
		e := &pb.Entry{}
		if err := proto.Unmarshal(b, e); err != nil {
			return 0, false, fmt.Errorf("%w: %w", ErrDamaged, err)
		}
		size += uint64(len(b))
		if len(es) > 0 && size > limit {
			return e.GetIndex(), false, nil
		}
		es = append(es, e)
		return e.GetIndex(), true, nil
	})
	if err == nil && len(es) == 0 {
		err = fmt.Errorf("%w: log of shard %d: entry %d is missing", ErrDamaged, shard, lo)
	}
	return es, err
}

// Scan calls f for each entry of a shard's log with the size of its data, in
// order. A damaged or missing entry is an [ErrDamaged] that names it.
func (l *Log) Scan(shard ShardID, f func(p Position, size int)) error {
	r, err := l.replica(shard)
	if err != nil {
		return err
	}
	last := r.Truncated.Index
	err = l.walk(shard, last+1, ^uint64(0), func(b []byte) (index uint64, more bool, err error) {
		p, size, err := entryHead(b)
		if err == nil && p.Index == last+1 { // else walk says what is missing
			last = p.Index
			f(p, size)
		}
		return p.Index, true, err
	})
	if err == nil && last < r.Applied.Index {
		err = fmt.Errorf("%w: log of shard %d: it ends at %d, but the state is at %d", ErrDamaged, shard, last, r.Applied.Index)
	}
	l.setEnd(shard, last)
	return err
}

// entryHead reads where an encoded entry is and how long its data is, which is not
// copied: at a start all entries are looked at.
func entryHead(b []byte) (p Position, size int, err error) {
	const term, index, data = 2, 3, 4 // fields of raftpb.Entry
	for len(b) > 0 {
		field, kind, n := protowire.ConsumeField(b)
		if n < 0 {
			return Position{}, 0, fmt.Errorf("%w: %w", ErrDamaged, protowire.ParseError(n))
		}
		_, _, tag := protowire.ConsumeTag(b)
		switch value := b[tag:n]; {
		case field == term && kind == protowire.VarintType:
			p.Term, _ = protowire.ConsumeVarint(value)
		case field == index && kind == protowire.VarintType:
			p.Index, _ = protowire.ConsumeVarint(value)
		case field == data && kind == protowire.BytesType:
			all, _ := protowire.ConsumeBytes(value)
			size = len(all)
		}
		b = b[n:]
	}
	return p, size, nil
}

// walk calls f for the encoded entries from lo up to hi, until f says that no more
// are wanted. f returns which one it is: one that is missing is an error.
func (l *Log) walk(shard ShardID, lo, hi uint64, f func(b []byte) (index uint64, more bool, err error)) error {
	it, err := l.s.db.NewIter(&pebble.IterOptions{LowerBound: entryKey(shard, lo), UpperBound: entryKey(shard, hi)})
	if err != nil {
		return damaged(err)
	}
	defer it.Close()
	for it.First(); it.Valid(); it.Next() {
		v, err := it.ValueAndErr()
		if err != nil {
			return damaged(err)
		}
		b, err := unsealed(v)
		if err != nil {
			return fmt.Errorf("log of shard %d: entry %d: %w", shard, lo, err)
		}
		index, more, err := f(b)
		if err != nil {
			return fmt.Errorf("log of shard %d: entry %d: %w", shard, lo, err)
		}
		if index != lo || string(it.Key()) != string(entryKey(shard, lo)) {
			return fmt.Errorf("%w: log of shard %d: entry %d is missing", ErrDamaged, shard, lo)
		}
		if !more {
			return nil
		}
		lo++
	}
	return damaged(it.Error())
}
