package disk

import (
	"errors"
	"strings"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// MarkerFS syncs a directory before Pebble makes a marker in it. Pebble writes a new
// MANIFEST, then an empty file whose name points to it, and syncs the directory once after
// both; on a file system that reorders entries a crash could leave a marker that points to
// nothing.
type MarkerFS struct{ vfs.FS }

func (m MarkerFS) Create(name string, category vfs.DiskWriteCategory) (vfs.File, error) {
	if strings.HasPrefix(m.PathBase(name), "marker.") {
		if err := SyncDir(m.FS, m.PathDir(name)); err != nil {
			return nil, err
		}
	}
	return m.FS.Create(name, category)
}

func (m MarkerFS) Unwrap() vfs.FS { return m.FS }

// SyncDir makes the entries of a directory durable.
func SyncDir(fs vfs.FS, path string) error {
	dir, err := fs.OpenDir(path)
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}
