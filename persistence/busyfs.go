package persistence

import (
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// busyFS notes which writes and syncs are under way, so that one that hangs has
// a name. It needs no goroutine of its own, unlike Pebble's checks of health.
type busyFS struct {
	vfs.FS
	busy *busy
}

// busy is what is under way.
type busy struct {
	mu  sync.Mutex
	ops map[*operation]struct{}
}

type operation struct {
	what, file string
	began      time.Time
}

func newBusy() *busy { return &busy{ops: map[*operation]struct{}{}} }

// begin notes that something is done to a file; end is to be called when it is.
func (b *busy) begin(what, file string) (end func()) {
	o := &operation{what, file, time.Now()}
	b.mu.Lock()
	b.ops[o] = struct{}{}
	b.mu.Unlock()
	return func() {
		b.mu.Lock()
		delete(b.ops, o)
		b.mu.Unlock()
	}
}

// oldest says in words what has taken longest; empty when nothing is under way.
func (b *busy) oldest() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	var first *operation
	for o := range b.ops {
		if first == nil || o.began.Before(first.began) {
			first = o
		}
	}
	if first == nil {
		return ""
	}
	return fmt.Sprintf("%s of %s has taken %v", first.what, filepath.Base(first.file), time.Since(first.began).Round(100*time.Millisecond))
}

func (b *busyFS) file(name string, f vfs.File, err error) (vfs.File, error) {
	if err != nil {
		return nil, err
	}
	return &busyFile{f, name, b.busy}, nil
}

// Create implements [vfs.FS].
func (b *busyFS) Create(name string, c vfs.DiskWriteCategory) (vfs.File, error) {
	defer b.busy.begin("creation", name)()
	f, err := b.FS.Create(name, c)
	return b.file(name, f, err)
}

// OpenReadWrite implements [vfs.FS].
func (b *busyFS) OpenReadWrite(name string, c vfs.DiskWriteCategory, o ...vfs.OpenOption) (vfs.File, error) {
	f, err := b.FS.OpenReadWrite(name, c, o...)
	return b.file(name, f, err)
}

// ReuseForWrite implements [vfs.FS].
func (b *busyFS) ReuseForWrite(from, to string, c vfs.DiskWriteCategory) (vfs.File, error) {
	f, err := b.FS.ReuseForWrite(from, to, c)
	return b.file(to, f, err)
}

// OpenDir implements [vfs.FS]: directories are synced too.
func (b *busyFS) OpenDir(name string) (vfs.File, error) {
	f, err := b.FS.OpenDir(name)
	return b.file(name, f, err)
}

// Unwrap implements [vfs.FS].
func (b *busyFS) Unwrap() vfs.FS { return b.FS }

// busyFile is a file that is written.
type busyFile struct {
	vfs.File
	name string
	busy *busy
}

// Write implements [vfs.File].
func (f *busyFile) Write(p []byte) (int, error) {
	defer f.busy.begin("write", f.name)()
	return f.File.Write(p)
}

// Sync implements [vfs.File].
func (f *busyFile) Sync() error {
	defer f.busy.begin("sync", f.name)()
	return f.File.Sync()
}

// SyncData implements [vfs.File].
func (f *busyFile) SyncData() error {
	defer f.busy.begin("sync", f.name)()
	return f.File.SyncData()
}

// SyncTo implements [vfs.File].
func (f *busyFile) SyncTo(length int64) (bool, error) {
	defer f.busy.begin("sync", f.name)()
	return f.File.SyncTo(length)
}

// Busy says in words what the disk has been at for longest; empty when it has
// done everything.
func (s *Store) Busy() string { return s.busy.oldest() }

// slowOpen is after how long an operator is told, and again, that the store is
// not open yet.
const slowOpen = 5 * time.Second

// sayOpening tells, until end is called, what opening the store waits for.
func (b *busy) sayOpening(log *slog.Logger) (end func()) {
	opened := make(chan struct{})
	var saying sync.WaitGroup
	saying.Go(func() {
		began, pace := time.Now(), time.NewTicker(slowOpen)
		defer pace.Stop()
		for {
			select {
			case <-opened:
				return
			case <-pace.C:
				log.Warn("store: opening takes long: the disk is slow, or there is much to read",
					"since", time.Since(began).Round(time.Second).String(), "disk", b.oldest())
			}
		}
	})
	return func() { close(opened); saying.Wait() }
}
