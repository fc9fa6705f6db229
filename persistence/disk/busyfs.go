package disk

import (
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// BusyFS notes the writes and syncs in flight, so that one that hangs can be named.
// Unlike Pebble's health checks it needs no goroutine.
type BusyFS struct {
	vfs.FS
	busy
}

// NewBusyFS returns a BusyFS over another file system.
func NewBusyFS(fs vfs.FS) *BusyFS {
	return &BusyFS{fs, busy{ops: map[*operation]struct{}{}}}
}

// busy are the operations in flight.
type busy struct {
	mu  sync.Mutex
	ops map[*operation]struct{}
}

type operation struct {
	what, file string
	began      time.Time
}

// begin notes an operation on a file, until end is called.
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

// first is the oldest operation; false: none is in flight.
func (b *busy) first() (first operation, ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for o := range b.ops {
		if !ok || o.began.Before(first.began) {
			first, ok = *o, true
		}
	}
	return first, ok
}

// Age is the age of the oldest operation; 0: none is in flight.
func (b *busy) Age() time.Duration {
	if first, ok := b.first(); ok {
		return time.Since(first.began)
	}
	return 0
}

// Oldest describes the oldest operation; empty: none is in flight.
func (b *busy) Oldest() string {
	first, ok := b.first()
	if !ok {
		return ""
	}
	return fmt.Sprintf("%s of %s has taken %v", first.what, filepath.Base(first.file), time.Since(first.began).Round(100*time.Millisecond))
}

func (b *BusyFS) file(name string, f vfs.File, err error) (vfs.File, error) {
	if err != nil {
		return nil, err
	}
	return &busyFile{f, name, &b.busy}, nil
}

func (b *BusyFS) Create(name string, c vfs.DiskWriteCategory) (vfs.File, error) {
	defer b.begin("creation", name)()
	f, err := b.FS.Create(name, c)
	return b.file(name, f, err)
}

func (b *BusyFS) OpenReadWrite(name string, c vfs.DiskWriteCategory, o ...vfs.OpenOption) (vfs.File, error) {
	f, err := b.FS.OpenReadWrite(name, c, o...)
	return b.file(name, f, err)
}

func (b *BusyFS) ReuseForWrite(from, to string, c vfs.DiskWriteCategory) (vfs.File, error) {
	f, err := b.FS.ReuseForWrite(from, to, c)
	return b.file(to, f, err)
}

// OpenDir implements [vfs.FS]: directories are synced too.
func (b *BusyFS) OpenDir(name string) (vfs.File, error) {
	f, err := b.FS.OpenDir(name)
	return b.file(name, f, err)
}

func (b *BusyFS) Unwrap() vfs.FS { return b.FS }

// busyFile is a file that is written.
type busyFile struct {
	vfs.File
	name string
	busy *busy
}

func (f *busyFile) Write(p []byte) (int, error) {
	defer f.busy.begin("write", f.name)()
	return f.File.Write(p)
}

func (f *busyFile) Sync() error {
	defer f.busy.begin("sync", f.name)()
	return f.File.Sync()
}

func (f *busyFile) SyncData() error {
	defer f.busy.begin("sync", f.name)()
	return f.File.SyncData()
}

func (f *busyFile) SyncTo(length int64) (bool, error) {
	defer f.busy.begin("sync", f.name)()
	return f.File.SyncTo(length)
}

// SayOpening logs, until end is called, what opening the store waits for.
func (b *busy) SayOpening(log *slog.Logger, every time.Duration) (end func()) {
	opened := make(chan struct{})
	var saying sync.WaitGroup
	saying.Go(func() {
		began, pace := time.Now(), time.NewTicker(every)
		defer pace.Stop()
		for {
			select {
			case <-opened:
				return
			case <-pace.C:
				log.Warn("store: opening takes long: the disk is slow, or there is much to read",
					"since", time.Since(began).Round(time.Second).String(), "disk", b.Oldest())
			}
		}
	})
	return func() { close(opened); saying.Wait() }
}
