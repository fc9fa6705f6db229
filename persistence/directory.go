package persistence

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// directory is a data directory that this process has locked.
type directory struct {
	fs   vfs.FS
	path string
	lock io.Closer
}

// openDirectory creates and locks the data directory.
func openDirectory(o *Options) (*directory, error) {
	d := &directory{fs: o.FS, path: o.Dir}
	if err := d.fs.MkdirAll(d.store(), 0o700); err != nil {
		return nil, d.explain(err)
	}
	if vfs.Root(o.FS) == vfs.Default {
		if err := os.Chmod(o.Dir, 0o700); err != nil {
			o.Logger.Warn("store: others may read the data directory", "dir", o.Dir, "error", err)
		}
	}
	lock, err := d.fs.Lock(d.file("LOCK"))
	if err != nil {
		return nil, d.explainLock(err)
	}
	d.lock = lock
	if err := errors.Join(syncDir(d.fs, d.fs.PathDir(d.path)), syncDir(d.fs, d.path)); err != nil {
		return nil, errors.Join(d.explain(err), lock.Close())
	}
	return d, nil
}

func (d *directory) file(name string) string { return d.fs.PathJoin(d.path, name) }
func (d *directory) store() string           { return d.file("store") }

// read returns a file's content, nil if it does not exist.
func (d *directory) read(name string) ([]byte, error) {
	f, err := d.fs.Open(d.file(name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	b, err := io.ReadAll(f)
	return b, errors.Join(err, f.Close())
}

// write replaces a file so that a crash leaves the old or the new one.
func (d *directory) write(name string, content []byte) error {
	f, err := d.fs.Create(d.file(name+".new"), vfs.WriteCategoryUnspecified)
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := d.fs.Rename(d.file(name+".new"), d.file(name)); err != nil {
		return err
	}
	return syncDir(d.fs, d.path)
}

// identity returns what identity.json says; false if there is none.
func (d *directory) identity() (Identity, bool, error) {
	b, err := d.read("identity.json")
	if b == nil || err != nil {
		return Identity{}, false, err
	}
	i, err := parseIdentity(b)
	return i, true, err
}

// hasStore reports whether Pebble finds a store.
func (d *directory) hasStore() (bool, error) {
	desc, err := pebble.Peek(d.store(), d.fs)
	if err != nil {
		return false, err
	}
	return desc.Exists, nil
}

func (d *directory) explainLock(err error) error {
	if unwritable(err) {
		return d.explain(err)
	}
	return fmt.Errorf("%s: %w: stop the other process or choose another --data directory (%w)", d.path, ErrLocked, err)
}

// explain says what an operator can do about an error of opening the store.
func (d *directory) explain(err error) error {
	switch {
	case err == nil, errors.Is(err, ErrNewerFormat), errors.Is(err, ErrOlderFormat), errors.Is(err, ErrOtherNode):
		return err
	case errors.Is(err, ErrDamaged):
		return fmt.Errorf("%s: %w: restore it from a backup or move it aside", d.path, err)
	case unwritable(err):
		return fmt.Errorf("%s: %w: give this user write access or choose another --data directory (%w)", d.path, ErrReadOnly, err)
	case errors.Is(err, syscall.ENOSPC):
		return fmt.Errorf("%s: %w: make room and start again (%w)", d.path, ErrNoSpace, err)
	}
	return fmt.Errorf("open %s: %w", d.path, err)
}

func unwritable(err error) bool {
	return errors.Is(err, fs.ErrPermission) && !errors.Is(err, syscall.EAGAIN) || errors.Is(err, syscall.EROFS)
}
