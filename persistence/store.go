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

	"ssod/persistence/db"
	"ssod/persistence/disk"
	"ssod/persistence/layout"
	"ssod/persistence/raftlog"
	"ssod/persistence/state"
)

// slowOpen is how often a warning says that the store is not open yet.
const slowOpen = 5 * time.Second

// Store is the durable state of one node.
type Store struct {
	opts      Options
	busy      *disk.BusyFS
	dir       *disk.Directory
	space     *disk.Space
	mark      *disk.Watermark
	stale     disk.Stale
	db        *db.DB
	identity  Identity
	created   bool // by this Open
	log       *raftlog.Log
	shards    *state.Shards
	blocks    *blocks // nil: no metrics
	unflushed prometheus.Collector

	level   atomic.Int64 // of the cluster
	raising sync.Mutex   // held to change it

	mu      sync.Mutex
	closed  bool             // guarded by mu
	pins    map[*Pinned]bool // guarded by mu
	readers readers
	// scrubbing is held while tables are rewritten.
	scrubbing sync.Mutex
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
	s := &Store{opts: o, busy: busy, dir: dir, stop: make(chan struct{})}
	s.readers.init()
	if err := s.open(); err != nil {
		return nil, errors.Join(explain(dir, err), s.closeFiles())
	}
	if err := errors.Join(s.space.Start(), s.register()); err != nil {
		return nil, errors.Join(err, s.closeFiles())
	}
	s.done.Go(s.watch)
	s.done.Go(func() { s.shards.Learn(s.stop) })
	return s, nil
}

// open brings the parts up in order: the directory's identity, then Pebble, then its
// content. Useless files are removed before Pebble needs room.
func (s *Store) open() error {
	if err := s.loadLevel(); err != nil {
		return err
	}
	if !s.opts.Restore {
		if err := unrestored(s.dir); err != nil {
			return err
		}
	}
	stored, exists, err := identityIn(s.dir)
	if err != nil {
		return err
	}
	if exists {
		if err := s.admit(stored); err != nil {
			return err
		}
	}
	if err := clearDir(s.dir, transfers); err != nil {
		return err
	}
	s.space = disk.NewSpace(s.dir, disk.SpaceConfig{
		Reserve: s.opts.Reserve, Ballast: s.opts.Ballast, Logger: s.opts.Logger, Registerer: s.opts.Registerer,
	})
	d, err := db.Open(db.Config{
		Dir: s.dir.Store(), FS: disk.TableFS{FS: vfs.OnDiskFull(disk.StaleFS{FS: disk.MarkerFS{FS: s.opts.FS}, Stale: &s.stale}, s.space.GiveBallast)},
		CacheBytes: s.opts.CacheBytes, MemTableBytes: s.opts.MemTableBytes, Fatal: s.opts.Fatal, Logger: s.opts.Logger,
	})
	if err != nil {
		return unopened(err)
	}
	s.db = d
	if err := s.identify(stored, exists); err != nil {
		return err
	}
	return s.load()
}

// load brings up the log, which checks that nothing is missing, and the state.
func (s *Store) load() (err error) {
	s.shards = state.New(state.Config{
		DB: s.db, Space: s.space, Shards: s.identity.Shards, Salt: layout.Salt(Founding(s.identity.Cluster)),
		MemTableBytes: s.opts.MemTableBytes, UnflushedBytes: s.opts.UnflushedBytes, Logger: s.opts.Logger,
	})
	var certain uint64
	if s.mark, certain, err = disk.OpenWatermark(s.dir); err != nil {
		return err
	}
	if s.log, err = raftlog.Open(s.db, s.shards, certain); err != nil {
		return err
	}
	return s.shards.Load()
}

// register registers the metrics of the store.
func (s *Store) register() error {
	if s.opts.Registerer == nil {
		return nil
	}
	s.blocks = newBlocks(s.db, &s.readers)
	s.unflushed = prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "ssod_store_unflushed_bytes",
		Help: "Memory of what was applied and is in the log only; over an eighth of --memory (256 MiB at most) changes are refused.",
	}, func() float64 { return float64(s.shards.Dirty()) })
	return errors.Join(s.opts.Registerer.Register(s.blocks), s.opts.Registerer.Register(s.unflushed))
}

func (s *Store) unregister() {
	if s.blocks != nil {
		s.opts.Registerer.Unregister(s.blocks)
		s.opts.Registerer.Unregister(s.unflushed)
	}
}

// admit refuses, before Pebble changes anything, a directory that is another node's or
// has lost its store: Pebble would silently begin an empty one.
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
	b, err := s.db.Read(layout.IdentityKey)
	switch {
	case err != nil:
		return err
	case b == nil && exists:
		return fmt.Errorf("%w: the store has lost its identity: its MANIFEST or its log ends early", ErrDamaged)
	case b == nil:
		s.identity, s.created = newIdentity(&s.opts), true
		if err := s.db.Set(layout.IdentityKey, s.identity.encode(), pebble.Sync); err != nil {
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
	return s.match(stored)
}

// match compares the identity in Pebble with that in the file, which follows it at
// the end of a recovery.
func (s *Store) match(stored Identity) error {
	before := s.identity
	before.Cluster = stored.Cluster
	switch {
	case s.identity == stored, s.identity.Cluster == s.opts.Recovering && before == stored:
		return nil
	case before == stored && Founding(s.identity.Cluster) == Founding(stored.Cluster):
		return fmt.Errorf("%s: %w (%s)", s.dir.Path, ErrRecovering, s.identity.Cluster)
	}
	return fmt.Errorf("%w: identity.json is not that of the store", ErrDamaged)
}

// Identity says whose store it is.
func (s *Store) Identity() Identity { return s.identity }

// Err returns the error that ended the store, nil while it works.
func (s *Store) Err() error { return s.db.Err() }

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
		s.shards.Tick()
		if err := s.mark.Advance(s.log.Durable()); err != nil {
			s.opts.Logger.Warn("store: lost tails may go unnoticed", "error", err)
		}
	}
}

// Busy describes the oldest write or sync in flight; empty: none.
func (s *Store) Busy() string { return s.busy.Oldest() }

// New reports whether the store was created when it was opened.
func (s *Store) New() bool { return s.created }

// Full reports whether changes are refused because free disk space is below
// the reserve. Reads go on.
func (s *Store) Full() bool { return s.space.Full() }

// Space is what there is of a disk, in bytes.
type Space struct {
	// Free is the free space at the last look; math.MaxUint64: unknown.
	Free uint64
	// Used is the size of the store, Reserve the free space below which it refuses
	// changes.
	Used, Reserve uint64
}

// Space tells how much there is of the disk.
func (s *Store) Space() Space {
	return Space{Free: s.space.Free(), Used: s.db.Metrics().DiskSpaceUsage(), Reserve: s.opts.Reserve}
}

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
	last, err := s.log.Settle()
	if err == nil && s.Err() == nil {
		// A disk without room is left alone: the log has what was applied.
		if err = s.shards.Flush(); errors.Is(err, ErrNoSpace) {
			err = nil
		}
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
	if s.db != nil {
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
