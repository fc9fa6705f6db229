package persistence

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"ssod/persistence/disk"
	"ssod/persistence/layout"
)

// Snapshots are in two directories. One has those under way, written here or received:
// they are useless after a restart and removed before the store is opened, in case they
// have filled the disk. The other has those that are being installed, see [Log.Install].
const (
	transfers = "snapshots"
	installs  = "installs"
)

// snapshotPath is the path of a snapshot's file.
func (l *Log) snapshotPath(in, name string) string {
	d := l.s.dir
	return d.FS.PathJoin(d.File(in), name+".sst")
}

// Export writes a shard's applied state as one table file under the given name and returns
// its position. It flushes the shard, and then holds no lock; the state is of one moment.
// It fails with [ErrNoSpace] rather than use the disk's reserve, and then leaves no file.
func (l *Log) Export(shard ShardID, name string) (Applied, error) {
	a, err := l.export(shard, name)
	if err != nil {
		return Applied{}, fmt.Errorf("export shard %d: %w", shard, errors.Join(err, l.DiscardSnapshot(name)))
	}
	return a, nil
}

func (l *Log) export(shard ShardID, name string) (Applied, error) {
	size, err := l.SnapshotSize(shard)
	if err == nil {
		err = l.s.space.Spare(size)
	}
	if err == nil {
		err = l.s.shards.FlushShard(shard)
	}
	if err != nil {
		return Applied{}, err
	}
	snap := l.s.db.NewSnapshot()
	defer snap.Close()
	a, err := layout.ReadApplied(snap, shard)
	if err != nil {
		return Applied{}, err
	}
	return a, l.writeTable(snap, shard, a, name)
}

// SnapshotSize is the approximate size of a shard's snapshot, without what is in memory
// only.
func (l *Log) SnapshotSize(shard ShardID) (uint64, error) {
	span := layout.ShardSpan(shard)
	n, err := l.s.db.EstimateDiskUsage(span.Start, span.End)
	return n, layout.Damaged(err)
}

func (l *Log) writeTable(r pebble.Reader, shard ShardID, a Applied, name string) error {
	span := layout.ShardSpan(shard)
	it, err := r.NewIter(&pebble.IterOptions{LowerBound: span.Start, UpperBound: span.End})
	if err != nil {
		return layout.Damaged(err)
	}
	defer it.Close()
	f, err := l.createSnapshot(name)
	if err != nil {
		return err
	}
	w := l.s.db.NewTable(f)
	last := layout.AppendShard(nil, shard, layout.SubTime) // of all keys
	for it.First(); it.Valid() && err == nil && bytes.Compare(it.Key(), last) < 0; it.Next() {
		var v []byte
		if v, err = it.ValueAndErr(); err == nil {
			err = w.Set(it.Key(), v)
		}
	}
	if err == nil { // it is stored with the applied position, which is not sent
		err = w.Set(last, binary.BigEndian.AppendUint64(nil, a.Time))
	}
	return layout.Damaged(errors.Join(err, it.Error(), w.Close()))
}

// createSnapshot creates the file of a snapshot, which does not use the disk's reserve.
func (l *Log) createSnapshot(name string) (vfs.File, error) {
	d := l.s.dir
	if err := d.FS.MkdirAll(d.File(transfers), 0o700); err != nil {
		return nil, err
	}
	f, err := d.FS.Create(l.snapshotPath(transfers, name), vfs.WriteCategoryUnspecified)
	if err != nil {
		return nil, err
	}
	return l.s.space.Sparing(f), nil
}

// OpenSnapshot opens the file that [Log.Export] wrote.
func (l *Log) OpenSnapshot(name string) (io.ReadCloser, error) {
	return l.s.dir.FS.Open(l.snapshotPath(transfers, name))
}

// AdmitSnapshot refuses, with [ErrNoSpace], a snapshot of about size bytes that would use
// the disk's reserve.
func (l *Log) AdmitSnapshot(size uint64) error { return l.s.space.Spare(size) }

// ReceiveSnapshot stores the file of a snapshot, durably; after an error nothing is left
// of it. It fails with [ErrNoSpace] rather than use the disk's reserve.
func (l *Log) ReceiveSnapshot(name string, r io.Reader) error {
	if err := l.receive(name, r); err != nil {
		return fmt.Errorf("receive snapshot: %w", errors.Join(err, l.DiscardSnapshot(name)))
	}
	return nil
}

func (l *Log) receive(name string, r io.Reader) error {
	f, err := l.createSnapshot(name)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, r)
	return errors.Join(err, f.Sync(), f.Close())
}

// DiscardSnapshot removes the file of a snapshot that is not being installed, if it exists.
func (l *Log) DiscardSnapshot(name string) error {
	return l.removeSnapshot(transfers, name)
}

func (l *Log) removeSnapshot(in, name string) error {
	err := l.s.dir.FS.Remove(l.snapshotPath(in, name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// keepSnapshot moves a snapshot to those that are being installed, durably.
func (l *Log) keepSnapshot(name string) error {
	d := l.s.dir
	if err := d.FS.MkdirAll(d.File(installs), 0o700); err != nil {
		return err
	}
	if err := d.FS.Rename(l.snapshotPath(transfers, name), l.snapshotPath(installs, name)); err != nil {
		return err
	}
	// The directory may be new, so its own entry is made durable too.
	return errors.Join(disk.SyncDir(d.FS, d.File(installs)), disk.SyncDir(d.FS, d.Path))
}

// Tidy removes the files that interrupted installations left. It is called at start, after
// [Log.Replicas].
func (l *Log) Tidy() error { return clearDir(l.s.dir, installs) }

// clearDir removes the files in a directory, if there is one.
func clearDir(d *disk.Directory, dir string) error {
	names, err := d.FS.List(d.File(dir))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	for _, name := range names {
		err = errors.Join(err, d.FS.Remove(d.FS.PathJoin(d.File(dir), name)))
	}
	return err
}
