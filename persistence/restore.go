package persistence

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/cockroachdb/pebble/v2/vfs"

	"ssod/persistence/disk"
)

// restoreMark is the file in a directory that is being filled from a backup. It is created
// first and removed last, so a crash in between leaves a directory that no node starts on.
const restoreMark = "restoring"

var (
	// ErrNotEmpty: the directory of a restore has something in it.
	ErrNotEmpty = errors.New("the data directory is not empty")
	// ErrUnfinished: a restore into the directory was cut short.
	ErrUnfinished = errors.New("a restore into the data directory is not finished")
)

// LostFound is in the root of a new file system.
const LostFound = "lost+found"

// BeginRestore makes an empty directory one that opens only with [Options.Restore], until
// [EndRestore]. It fails with [ErrNotEmpty].
func BeginRestore(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if e.Name() != LostFound {
			return fmt.Errorf("%s: %w: it has %s: choose another one, or move what is there aside", dir, ErrNotEmpty, e.Name())
		}
	}
	f, err := os.OpenFile(filepath.Join(dir, restoreMark), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s: %w", dir, ErrNotEmpty)
	}
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close(), syncDirs(dir, filepath.Dir(dir)))
}

// EndRestore makes the directory one that a node starts on. Its content must be on disk.
func EndRestore(dir string) error {
	if err := syncDirs(dir); err != nil {
		return err
	}
	if err := os.Remove(filepath.Join(dir, restoreMark)); err != nil {
		return err
	}
	return syncDirs(dir)
}

// AbandonRestore empties the directory again.
func AbandonRestore(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	// The mark goes last: until then no node starts on the rest.
	entries = slices.DeleteFunc(entries, func(e fs.DirEntry) bool { return e.Name() == LostFound || e.Name() == restoreMark })
	for _, e := range entries {
		err = errors.Join(err, os.RemoveAll(filepath.Join(dir, e.Name())))
	}
	if err == nil {
		err = syncDirs(dir)
	}
	if err != nil {
		return err
	}
	return os.Remove(filepath.Join(dir, restoreMark))
}

func syncDirs(dirs ...string) error {
	for _, dir := range dirs {
		if err := disk.SyncDir(vfs.Default, dir); err != nil {
			return err
		}
	}
	return nil
}

// unrestored reports whether a restore into the directory is not finished.
func unrestored(d *disk.Directory) error {
	_, err := d.FS.Stat(d.File(restoreMark))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	}
	return fmt.Errorf("%w: %s is of no use: remove what is in it, and restore again", ErrUnfinished, d.Path)
}
