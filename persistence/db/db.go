package db

import (
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"ssod/persistence/layout"
)

// ErrFailed: a write to the store failed, so whether it is on disk is unknown. The store
// has stopped and the process must end.
var ErrFailed = errors.New("the store failed to write")

// Config says how to open Pebble. All of it is required.
type Config struct {
	Dir string
	FS  vfs.FS
	// CacheBytes bounds the cache of blocks, besides up to four memtables of
	// MemTableBytes.
	CacheBytes    int64
	MemTableBytes uint64
	// Fatal is called once, when a write failed.
	Fatal  func(error)
	Logger *slog.Logger
}

// DB is the Pebble of a store.
type DB struct {
	*pebble.DB
	config  Config
	failure atomic.Pointer[error]
	wedged  atomic.Bool  // Pebble panicked with its own locks held
	memory  atomic.Int64 // approximate bytes in the memtable

	mu     sync.Mutex
	onFail []func(error) // guarded by mu
	told   bool          // onFail was called; guarded by mu
}

// Open opens Pebble or begins an empty one.
func Open(c Config) (d *DB, err error) {
	d = &DB{config: c}
	d.DB, err = pebble.Open(c.Dir, c.pebble(d.logger()))
	return d, err
}

func (d *DB) logger() *logger { return &logger{log: d.config.Logger, fail: d.Fail} }

// Close closes Pebble, if it can still be closed.
func (d *DB) Close() error {
	if d.wedged.Load() {
		return nil
	}
	return d.DB.Close()
}

// OnFail has f called when a write fails, before Config.Fatal; at once if one has failed.
func (d *DB) OnFail(f func(error)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.told {
		f(d.Err())
		return
	}
	d.onFail = append(d.onFail, f)
}

// Fail ends the store: nothing is written or acknowledged any more.
func (d *DB) Fail(err error) {
	if !errors.Is(err, ErrFailed) {
		err = fmt.Errorf("%w: %w", ErrFailed, err)
	}
	if !d.failure.CompareAndSwap(nil, &err) {
		return
	}
	d.tell(err)
	d.config.Logger.Error("store: a write failed; the node must stop. Check the disk, then start again", "error", err)
	d.config.Fatal(err)
}

func (d *DB) tell(err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.told = true
	for _, f := range d.onFail {
		f(err)
	}
}

// Err returns the error that ended the store, nil while it works.
func (d *DB) Err() error {
	if err := d.failure.Load(); err != nil {
		return *err
	}
	return nil
}

// Read returns a copy of the value of k, nil if there is none.
func (d *DB) Read(k []byte) ([]byte, error) { return layout.Get(d, k) }

// Put writes one key outside of the numbered batches.
func (d *DB) Put(k, v []byte, o *pebble.WriteOptions) error {
	return d.Guard(func() error { return d.Set(k, v, o) })
}

// Commit writes a batch.
func (d *DB) Commit(b *pebble.Batch, o *pebble.WriteOptions) error {
	d.memory.Add(int64(b.Len()))
	return d.Guard(func() error { return d.Apply(b, o) })
}

// Begin is Commit without the wait: it returns when Pebble has queued the batch, which is
// on disk when b.SyncWait, guarded, returns.
func (d *DB) Begin(b *pebble.Batch) error {
	d.memory.Add(int64(b.Len()))
	return d.Guard(func() error { return d.ApplyNoSyncWait(b, pebble.Sync) })
}

// Sync makes everything durable that was written.
func (d *DB) Sync() error {
	return d.Guard(func() error { return d.LogData(nil, pebble.Sync) })
}

// Guard does a write. A failure ends the store: whether the write is on disk is unknown,
// and nothing may rest on it.
func (d *DB) Guard(write func() error) (err error) {
	if err := d.Err(); err != nil {
		return err
	}
	defer func() {
		if p := recover(); p != nil {
			d.wedged.Store(true)
			err = fmt.Errorf("write batch: %v", p)
		}
		if err != nil {
			d.Fail(err)
			err = d.Err()
		}
	}()
	return write()
}

// Turn has Pebble write its memtable to a table if it is at least half full.
func (d *DB) Turn() error {
	if d.memory.Load() < int64(d.config.MemTableBytes)/2 {
		return nil
	}
	d.memory.Store(0)
	_, err := d.AsyncFlush()
	return err
}
