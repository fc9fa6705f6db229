package disk

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"syscall"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// Errors of opening a data directory. Their texts tell an operator what to do.
var (
	// ErrLocked: another process uses the directory.
	ErrLocked = errors.New("the data directory is in use by another process")
	// ErrReadOnly: the directory cannot be written.
	ErrReadOnly = errors.New("the data directory cannot be written")
)

// Directory is a data directory that this process has locked.
type Directory struct {
	FS   vfs.FS
	Path string
	lock io.Closer
}

// OpenDirectory creates and locks a data directory.
func OpenDirectory(fs vfs.FS, path string, log *slog.Logger) (*Directory, error) {
	d := &Directory{FS: fs, Path: path}
	if err := d.FS.MkdirAll(d.Store(), 0o700); err != nil {
		return nil, d.Explain(err)
	}
	if vfs.Root(fs) == vfs.Default {
		if err := os.Chmod(path, 0o700); err != nil {
			log.Warn("store: others may read the data directory", "dir", path, "error", err)
		}
	}
	lock, err := d.FS.Lock(d.File("LOCK"))
	if err != nil {
		return nil, d.explainLock(err)
	}
	d.lock = lock
	if err := errors.Join(SyncDir(d.FS, d.FS.PathDir(d.Path)), SyncDir(d.FS, d.Path)); err != nil {
		return nil, errors.Join(d.Explain(err), lock.Close())
	}
	return d, nil
}

// Close unlocks the directory.
func (d *Directory) Close() error { return d.lock.Close() }

// File is the path of a file in the directory.
func (d *Directory) File(name string) string { return d.FS.PathJoin(d.Path, name) }

// Store is the path of Pebble's directory.
func (d *Directory) Store() string { return d.File("store") }

// Read returns a file's content, nil if it does not exist.
func (d *Directory) Read(name string) ([]byte, error) {
	f, err := d.FS.Open(d.File(name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	b, err := io.ReadAll(f)
	return b, errors.Join(err, f.Close())
}

// Write replaces a file so that a crash leaves the old or the new one.
func (d *Directory) Write(name string, content []byte) error {
	f, err := d.FS.Create(d.File(name+".new"), vfs.WriteCategoryUnspecified)
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := d.FS.Rename(d.File(name+".new"), d.File(name)); err != nil {
		return err
	}
	return SyncDir(d.FS, d.Path)
}

func (d *Directory) explainLock(err error) error {
	if unwritable(err) {
		return d.Explain(err)
	}
	return fmt.Errorf("%s: %w: stop the other process or choose another --data directory (%w)", d.Path, ErrLocked, err)
}

// Explain adds what an operator can do about an error of opening or reading the directory.
func (d *Directory) Explain(err error) error {
	switch {
	case err == nil:
		return nil
	case unwritable(err):
		return fmt.Errorf("%s: %w: give this user write access or choose another --data directory (%w)", d.Path, ErrReadOnly, err)
	case errors.Is(err, syscall.ENOSPC):
		return fmt.Errorf("%s: %w: make room and start again (%w)", d.Path, ErrNoSpace, err)
	}
	return fmt.Errorf("open %s: %w", d.Path, err)
}

func unwritable(err error) bool {
	return errors.Is(err, fs.ErrPermission) && !errors.Is(err, syscall.EAGAIN) || errors.Is(err, syscall.EROFS)
}
