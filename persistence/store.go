package persistence

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"ssod/persistence/disk"
)

// slowOpen is after how long an operator is told, and again, that the store is
// not open yet.
const slowOpen = 5 * time.Second

// Store is the durable state of one node.
type Store struct {
	opts     Options
	busy     *disk.BusyFS
	dir      *disk.Directory
	db       *pebble.DB
	identity Identity
	salt     salt
	created  bool // by this Open
	space    *disk.Space
	blocks   *blocks // nil: no metrics
	mark     *disk.Watermark
	revs     *revisions
	known    *known
	shards   []shard // by ShardID

	// mu is held by who applies, and by who replaces what memory knows of the
	// store by a scan of it.
	mu       sync.Mutex
	closed   bool          // guarded by mu
	prepared preparation   // guarded by mu
	sequence atomic.Uint64 // number of the last batch
	wedged   atomic.Bool   // Pebble panicked with its own locks held

	dirty     atomic.Int64  // bytes in the layers of all shards
	logged    atomic.Int64  // bytes of entries since the last flush
	memory    atomic.Int64  // bytes in Pebble's memtable, about
	touched   atomic.Bool   // something was applied since the last flush
	flushedAt atomic.Int64  // when the last flush began, in ns
	due       chan struct{} // a flush is wanted
	room      room
	unflushed prometheus.Collector
	counters

	durable durable
	readers readers
	stale   disk.Stale
	// scrubbing is held while tables are rewritten.
	scrubbing sync.Mutex
	failure   atomic.Pointer[error]
	fatal     sync.Once
	stop      chan struct{}
	done      sync.WaitGroup
}

// Open opens or creates the store in a data directory. It fails with an error
// that tells the operator what to do: [ErrLocked], [ErrReadOnly],
// [ErrOtherNode], [ErrNewerFormat], [ErrOlderFormat], [ErrDamaged] or [ErrNoSpace].
func Open(o Options) (*Store, error) {
	o = o.withDefaults()
	busy := disk.NewBusyFS(o.FS)
	o.FS = busy
	defer busy.SayOpening(o.Logger, slowOpen)()
	dir, err := disk.OpenDirectory(o.FS, o.Dir, o.Logger)
	if err != nil {
		return nil, err
	}
	s := &Store{opts: o, busy: busy, dir: dir, revs: newRevisions(), known: newKnown(), stop: make(chan struct{}), due: make(chan struct{}, 1)}
	s.durable.init()
	s.room.init()
	s.flushedAt.Store(time.Now().UnixNano())
	s.readers.init()
	if err := s.open(); err != nil {
		return nil, errors.Join(explain(dir, err), s.closeFiles())
	}
	if err := errors.Join(s.space.Start(), s.register()); err != nil {
		return nil, errors.Join(err, s.closeFiles())
	}
	s.done.Go(s.watch)
	s.done.Go(s.learn)
	return s, nil
}

// open brings the parts up in order: whose directory it is, then Pebble, then
// what Pebble holds.
func (s *Store) open() error {
	stored, exists, err := identityIn(s.dir)
	if err != nil {
		return err
	}
	if exists {
		if err := s.admit(stored); err != nil {
			return err
		}
	}
	s.space = disk.NewSpace(s.dir, disk.SpaceConfig{
		Reserve: s.opts.Reserve, Ballast: s.opts.Ballast, Logger: s.opts.Logger, Registerer: s.opts.Registerer,
	})
	l := &logger{log: s.opts.Logger, fail: s.fail}
	fs := disk.TableFS{FS: vfs.OnDiskFull(disk.StaleFS{FS: disk.MarkerFS{FS: s.opts.FS}, Stale: &s.stale}, s.space.GiveBallast)}
	if s.db, err = pebble.Open(s.dir.Store(), s.opts.pebble(fs, l)); err != nil {
		return unopened(err)
	}
	if err := s.identify(stored, exists); err != nil {
		return err
	}
	s.salt = salt(s.identity.Cluster)
	if err := s.loadSequence(); err != nil {
		return err
	}
	return s.loadShards()
}

// admit refuses, before Pebble changes anything, a directory that is not ours
// or has lost its store: Pebble would silently begin an empty one.
func (s *Store) admit(stored Identity) error {
	if err := stored.check(&s.opts); err != nil {
		return err
	}
	switch found, err := pebble.Peek(s.dir.Store(), s.dir.FS); {
	case err != nil:
		return unopened(err)
	case !found.Exists:
		return fmt.Errorf("%w: it has an identity but no store (MANIFEST missing)", ErrDamaged)
	}
	return nil
}

// identify compares the identity in Pebble with the one in the file, and
// completes a creation that a crash cut short: first Pebble, then the file.
func (s *Store) identify(stored Identity, exists bool) error {
	b, err := s.get(identityKey)
	switch {
	case err != nil:
		return err
	case b == nil && exists:
		return fmt.Errorf("%w: the store has lost its identity: its MANIFEST or its log ends early", ErrDamaged)
	case b == nil:
		s.identity, s.created = newIdentity(&s.opts), true
		if err := s.db.Set(identityKey, s.identity.encode(), pebble.Sync); err != nil {
			return err
		}
		return s.dir.Write("identity.json", s.identity.encode())
	}
	if s.identity, err = parseIdentity(b); err != nil {
		return err
	}
	if err := s.identity.check(&s.opts); err != nil {
		return err
	}
	if !exists {
		return s.dir.Write("identity.json", s.identity.encode())
	}
	if s.identity != stored {
		return fmt.Errorf("%w: identity.json is not that of the store", ErrDamaged)
	}
	return nil
}

// Identity says whose store it is.
func (s *Store) Identity() Identity { return s.identity }

// get returns a copy of the value of k, nil if there is none.
func (s *Store) get(k []byte) ([]byte, error) {
	v, closer, err := s.db.Get(k)
	if errors.Is(err, pebble.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, damaged(err)
	}
	return append([]byte{}, v...), closer.Close()
}

// fail ends the store: nothing is written or acknowledged any more.
func (s *Store) fail(err error) {
	if !errors.Is(err, ErrFailed) {
		err = fmt.Errorf("%w: %w", ErrFailed, err)
	}
	if !s.failure.CompareAndSwap(nil, &err) {
		return
	}
	s.durable.fail(err)
	s.room.wake()
	s.opts.Logger.Error("store: a write failed; the node must stop. Check the disk, then start again", "error", err)
	s.fatal.Do(func() { s.opts.Fatal(err) })
}

// Err returns the error that ended the store, nil while it works.
func (s *Store) Err() error {
	if err := s.failure.Load(); err != nil {
		return *err
	}
	return nil
}

// watch looks after the disk until the store is closed.
func (s *Store) watch() {
	tick := time.NewTicker(s.opts.CheckEvery)
	defer tick.Stop()
	s.space.MakeBallast()
	for {
		select {
		case <-s.stop:
			return
		case <-tick.C:
		}
		s.space.Look()
		s.space.MakeBallast()
		s.noteAge()
		if err := s.mark.Advance(s.durable.batch.Load()); err != nil {
			s.opts.Logger.Warn("store: lost tails may go unnoticed", "error", err)
		}
	}
}

// Busy says in words what the disk has been at for longest; empty when it has
// done everything.
func (s *Store) Busy() string { return s.busy.Oldest() }

// Busy is for how long the disk has been at that; 0 when nothing is under way.
func (l *Log) Busy() time.Duration { return l.s.busy.Age() }

// Full reports whether changes are refused because free disk space is below
// the reserve. Reads go on.
func (s *Store) Full() bool { return s.space.Full() }

// Close waits for reads and writes that have begun, flushes what was applied, if
// the disk has room, and closes the store. Afterwards everything fails with [ErrClosed].
func (s *Store) Close() error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil
	}
	s.closed = true
	s.mu.Unlock()
	close(s.stop)
	s.done.Wait()
	last := s.sequence.Load()
	err := s.durable.wait(last)
	// A disk without room is left alone: the log has what was applied.
	if err == nil && s.Err() == nil && s.space.Room(s.dirty.Load()) == nil {
		err = s.Log().flush(s.all())
	}
	s.readers.close()
	if err == nil {
		err = s.mark.Advance(last)
	}
	return errors.Join(err, s.closeFiles())
}

func (s *Store) closeFiles() error {
	var err error
	s.unregister()
	if s.db != nil && !s.wedged.Load() {
		err = s.db.Close()
	}
	if s.mark != nil {
		err = errors.Join(err, s.mark.Close())
	}
	if s.space != nil {
		s.space.Close()
	}
	return errors.Join(err, s.dir.Close())
}
