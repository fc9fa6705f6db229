package raftlog

import (
	"encoding/binary"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/cockroachdb/pebble/v2"
	pb "go.etcd.io/raft/v3/raftpb"

	"ssod/persistence/data"
	"ssod/persistence/db"
	"ssod/persistence/layout"
)

// State is what the log needs of the state that its entries become.
type State interface {
	// Applied is how far a shard is, in memory or on disk.
	Applied(data.ShardID) data.Applied
	// Flushed is the last entry whose effect is on disk: the log may be truncated up to
	// it.
	Flushed(data.ShardID) uint64
	// Logged counts bytes of entries added to the logs.
	Logged(bytes int64)
	// Replace calls do, which replaces a shard's stored state, and drops what memory
	// has of the old one.
	Replace(shard data.ShardID, do func() error) error
}

// Log is the replication log of all shards.
type Log struct {
	db       *db.DB
	state    State
	sequence atomic.Uint64 // number of the last batch
	durable  durable

	mu   sync.Mutex
	last map[data.ShardID]uint64 // the end of each log
	gone map[data.ShardID]uint64 // how far each log was truncated since the start
}

// Open returns the log in a Pebble. It checks that no batch up to certain is missing.
func Open(d *db.DB, state State, certain uint64) (*Log, error) {
	l := &Log{db: d, state: state, last: make(map[data.ShardID]uint64), gone: make(map[data.ShardID]uint64)}
	l.durable.init()
	d.OnFail(l.durable.fail)
	return l, l.load(certain)
}

// Append writes all of writes as one batch. With sync it returns when the
// batch, and everything written before it, is on disk. A log that was there
// before is scanned first.
func (l *Log) Append(writes []data.LogWrite, sync bool) error {
	w, err := l.Begin(writes, sync)
	if err != nil {
		return err
	}
	return w.Wait()
}

// Write is an append that is on its way to disk.
type Write struct {
	log      *Log
	batch    *pebble.Batch // nil: not synced
	sequence uint64
}

// Begin is Append without the wait: it returns when Pebble has queued the batch. Every
// write must be waited for, in the order in which they began.
func (l *Log) Begin(writes []data.LogWrite, sync bool) (*Write, error) {
	number := l.next(sync)
	b := l.db.NewBatchWithSize(batchSize(writes))
	for i := range writes {
		if err := l.stageWrite(b, &writes[i]); err != nil {
			b.Close()
			err = fmt.Errorf("append to log of shard %d: %w", writes[i].Shard, err)
			l.db.Fail(err) // the number is taken, and memory may be ahead of the log
			return nil, err
		}
	}
	l.state.Logged(int64(b.Len()))
	if number == 0 {
		defer b.Close()
		return &Write{}, l.db.Commit(b, pebble.NoSync)
	}
	if err := l.stageSequence(b, number); err != nil {
		b.Close()
		return nil, err
	}
	return &Write{log: l, batch: b, sequence: number}, l.db.Begin(b)
}

// batchSize is the approximate length of a batch.
func batchSize(writes []data.LogWrite) int {
	n := 256
	for i := range writes {
		n += 64
		for _, e := range writes[i].Entries {
			n += 48 + len(e.GetData())
		}
	}
	return n
}

// next returns the number of a batch that is synced, 0 for one that is not.
func (l *Log) next(sync bool) uint64 {
	if !sync {
		return 0
	}
	return l.sequence.Add(1)
}

// stageSequence numbers a synced batch. Number and count let the next start detect lost
// batches. They also make Pebble sync a batch with nothing else in it: a promise may rest
// on earlier writes alone.
func (l *Log) stageSequence(b *pebble.Batch, number uint64) error {
	var v [8]byte
	binary.BigEndian.PutUint64(v[:], number)
	if err := b.Set(layout.SequenceKey, v[:], nil); err != nil {
		return err
	}
	return b.Merge(layout.CountKey, layout.One, nil)
}

// Wait returns when the write, and everything written before it, is on disk.
// Without sync it returns at once.
func (w *Write) Wait() error {
	if w.batch == nil {
		return nil
	}
	if err := w.log.db.Guard(w.batch.SyncWait); err != nil {
		return err
	}
	w.log.durable.advance(w.sequence)
	return w.batch.Close()
}

// stageWrite adds one shard's write to a batch.
func (l *Log) stageWrite(b *pebble.Batch, w *data.LogWrite) error {
	if err := l.stageEntries(b, w.Shard, w.Entries); err != nil {
		return err
	}
	if w.Hard != nil {
		if err := layout.SetMessage(b, layout.LogStateKey(w.Shard, layout.LogHard), w.Hard); err != nil {
			return err
		}
	}
	if w.Truncate.Index == 0 {
		return nil
	}
	if at := l.state.Flushed(w.Shard); w.Truncate.Index > at {
		return fmt.Errorf("truncated to %d, but the state on disk is at %d", w.Truncate.Index, at)
	}
	return l.stageTruncation(b, w.Shard, w.Truncate)
}

// stageTruncation removes the entries up to p, which the state no longer needs. Its range
// does not overlap those of earlier truncations, which Pebble would have to fragment.
func (l *Log) stageTruncation(b *pebble.Batch, shard data.ShardID, p data.Position) error {
	l.mu.Lock()
	from, to := l.gone[shard], p.Index+1
	l.gone[shard] = max(from, to)
	l.mu.Unlock()
	if from < to {
		if err := b.DeleteRange(layout.EntryKey(shard, from), layout.EntryKey(shard, to), nil); err != nil {
			return err
		}
	}
	return b.Set(layout.LogStateKey(shard, layout.LogTruncated), layout.Sealed(layout.EncodePosition(p)), nil)
}

// stageEntries appends entries in place of those from the first index on.
func (l *Log) stageEntries(b *pebble.Batch, shard data.ShardID, entries []*pb.Entry) error {
	if len(entries) == 0 {
		return nil
	}
	first, end := entries[0].GetIndex(), entries[len(entries)-1].GetIndex()
	if last := l.end(shard); last > end {
		if err := b.DeleteRange(layout.EntryKey(shard, end+1), layout.EntryKey(shard, last+1), nil); err != nil {
			return err
		}
	}
	for i, e := range entries {
		if e.GetIndex() != first+uint64(i) {
			return fmt.Errorf("entry %d after %d", e.GetIndex(), first+uint64(i)-1)
		}
		if err := layout.SetMessage(b, layout.EntryKey(shard, e.GetIndex()), e); err != nil {
			return err
		}
	}
	l.setEnd(shard, end)
	return nil
}

func (l *Log) end(shard data.ShardID) uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.last[shard]
}

func (l *Log) setEnd(shard data.ShardID, index uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.last[shard] = index
}
