package main

import (
	"strings"
	"sync/atomic"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// slowFS is the operating system's file system. It counts fsyncs and what is
// written, and can make each fsync take a while.
type slowFS struct {
	vfs.FS
	delay atomic.Int64 // nanoseconds
	syncs atomic.Int64
	// Bytes written to logs (the store's, which is synced) and to all else.
	logged, tabled atomic.Int64
}

func newSlowFS() *slowFS { return &slowFS{FS: vfs.Default} }

// slow is called before a file is synced.
func (s *slowFS) slow() {
	s.syncs.Add(1)
	if d := time.Duration(s.delay.Load()); d > 0 {
		time.Sleep(d)
	}
}

func (s *slowFS) file(name string, f vfs.File, err error) (vfs.File, error) {
	if err != nil {
		return nil, err
	}
	written := &s.tabled
	if strings.HasSuffix(name, ".log") {
		written = &s.logged
	}
	return slowFile{f, s, written}, nil
}

// Create implements [vfs.FS].
func (s *slowFS) Create(name string, c vfs.DiskWriteCategory) (vfs.File, error) {
	f, err := s.FS.Create(name, c)
	return s.file(name, f, err)
}

// OpenReadWrite implements [vfs.FS].
func (s *slowFS) OpenReadWrite(name string, c vfs.DiskWriteCategory, o ...vfs.OpenOption) (vfs.File, error) {
	f, err := s.FS.OpenReadWrite(name, c, o...)
	return s.file(name, f, err)
}

// ReuseForWrite implements [vfs.FS].
func (s *slowFS) ReuseForWrite(from, to string, c vfs.DiskWriteCategory) (vfs.File, error) {
	f, err := s.FS.ReuseForWrite(from, to, c)
	return s.file(to, f, err)
}

// slowFile is a file whose fsyncs are slow.
type slowFile struct {
	vfs.File
	fs      *slowFS
	written *atomic.Int64
}

// Write implements [vfs.File].
func (f slowFile) Write(b []byte) (int, error) {
	n, err := f.File.Write(b)
	f.written.Add(int64(n))
	return n, err
}

// WriteAt implements [vfs.File].
func (f slowFile) WriteAt(b []byte, at int64) (int, error) {
	n, err := f.File.WriteAt(b, at)
	f.written.Add(int64(n))
	return n, err
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
