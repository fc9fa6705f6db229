package disk

import (
	"errors"
	"strings"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// TableFS writes tables in large pieces. Pebble writes 4 KiB at a time, so a flush or
// compaction of 64 MiB is 16,000 system calls: under load more than all others of the
// process.
type TableFS struct{ vfs.FS }

// tablePiece is how much of a table is written at a time.
const tablePiece = 128 << 10

func (t TableFS) Create(name string, category vfs.DiskWriteCategory) (vfs.File, error) {
	f, err := t.FS.Create(name, category)
	if err != nil || !strings.HasSuffix(name, ".sst") {
		return f, err
	}
	return &tableFile{File: f}, nil
}

func (t TableFS) Unwrap() vfs.FS { return t.FS }

// tableFile is a table that one goroutine writes and that is not read yet.
type tableFile struct {
	vfs.File
	waiting []byte
}

func (f *tableFile) Write(p []byte) (int, error) {
	if f.waiting == nil {
		f.waiting = make([]byte, 0, tablePiece)
	}
	if len(f.waiting)+len(p) > tablePiece {
		if err := f.flush(); err != nil {
			return 0, err
		}
	}
	if len(p) >= tablePiece {
		return f.File.Write(p)
	}
	f.waiting = append(f.waiting, p...)
	return len(p), nil
}

func (f *tableFile) flush() error {
	if len(f.waiting) == 0 {
		return nil
	}
	_, err := f.File.Write(f.waiting)
	f.waiting = f.waiting[:0]
	return err
}

func (f *tableFile) Sync() error {
	if err := f.flush(); err != nil {
		return err
	}
	return f.File.Sync()
}

func (f *tableFile) SyncData() error {
	if err := f.flush(); err != nil {
		return err
	}
	return f.File.SyncData()
}

func (f *tableFile) SyncTo(length int64) (fullSync bool, err error) {
	if err := f.flush(); err != nil {
		return false, err
	}
	return f.File.SyncTo(length)
}

func (f *tableFile) Stat() (vfs.FileInfo, error) {
	if err := f.flush(); err != nil {
		return nil, err
	}
	return f.File.Stat()
}

func (f *tableFile) Close() error { return errors.Join(f.flush(), f.File.Close()) }
