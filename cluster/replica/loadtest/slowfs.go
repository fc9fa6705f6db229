package main

import (
	"sync/atomic"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// slowFS is the operating system's file system. It counts fsyncs, and can make
// each take a while.
type slowFS struct {
	vfs.FS
	delay atomic.Int64 // nanoseconds
	syncs atomic.Int64
}

func newSlowFS() *slowFS { return &slowFS{FS: vfs.Default} }

// slow is called before a file is synced.
func (s *slowFS) slow() {
	s.syncs.Add(1)
	if d := time.Duration(s.delay.Load()); d > 0 {
		time.Sleep(d)
	}
}

func (s *slowFS) file(f vfs.File, err error) (vfs.File, error) {
	if err != nil {
		return nil, err
	}
	return slowFile{f, s}, nil
}

// Create implements [vfs.FS].
func (s *slowFS) Create(name string, c vfs.DiskWriteCategory) (vfs.File, error) {
	return s.file(s.FS.Create(name, c))
}

// OpenReadWrite implements [vfs.FS].
func (s *slowFS) OpenReadWrite(name string, c vfs.DiskWriteCategory, o ...vfs.OpenOption) (vfs.File, error) {
	return s.file(s.FS.OpenReadWrite(name, c, o...))
}

// ReuseForWrite implements [vfs.FS].
func (s *slowFS) ReuseForWrite(from, to string, c vfs.DiskWriteCategory) (vfs.File, error) {
	return s.file(s.FS.ReuseForWrite(from, to, c))
}

// slowFile is a file whose fsyncs are slow.
type slowFile struct {
	vfs.File
	fs *slowFS
}

// Sync implements [vfs.File].
func (f slowFile) Sync() error {
	f.fs.slow()
	return f.File.Sync()
}

// SyncData implements [vfs.File].
func (f slowFile) SyncData() error {
	f.fs.slow()
	return f.File.SyncData()
}
