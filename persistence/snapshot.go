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

// snapshotPath is where the file of a snapshot is kept.
func (l *Log) snapshotPath(name string) string {
	d := l.s.dir
	return d.FS.PathJoin(d.File("snapshots"), name+".sst")
}

// Export writes a shard's applied state as one table file under the given name
// and returns the place that the state is at. It flushes the shard, and then holds
// no lock and stops nothing; the state is of one moment.
func (l *Log) Export(shard ShardID, name string) (Applied, error) {
	if err := l.s.shards.FlushShard(shard); err != nil {
		return Applied{}, fmt.Errorf("export shard %d: %w", shard, err)
	}
	snap := l.s.db.NewSnapshot()
	defer snap.Close()
	a, err := layout.ReadApplied(snap, shard)
	if err == nil {
		err = l.writeTable(snap, shard, a, name)
	}
	if err != nil {
		return Applied{}, fmt.Errorf("export shard %d: %w", shard, err)
	}
	return a, nil
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
	if err == nil { // it is stored beside the applied position, which is not sent
		err = w.Set(last, binary.BigEndian.AppendUint64(nil, a.Time))
	}
	return layout.Damaged(errors.Join(err, it.Error(), w.Close()))
}

func (l *Log) createSnapshot(name string) (vfs.File, error) {
	d := l.s.dir
	if err := d.FS.MkdirAll(d.File("snapshots"), 0o700); err != nil {
		return nil, err
	}
	return d.FS.Create(l.snapshotPath(name), vfs.WriteCategoryUnspecified)
}

// OpenSnapshot opens the file that [Log.Export] wrote.
func (l *Log) OpenSnapshot(name string) (io.ReadCloser, error) {
	return l.s.dir.FS.Open(l.snapshotPath(name))
}

// ReceiveSnapshot stores the file of a snapshot. It is complete and on disk when
// it returns without an error.
func (l *Log) ReceiveSnapshot(name string, r io.Reader) error {
	f, err := l.createSnapshot(name)
	if err != nil {
		return fmt.Errorf("receive snapshot: %w", err)
	}
	_, err = io.Copy(f, r)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("receive snapshot: %w", errors.Join(err, l.DiscardSnapshot(name)))
	}
	// The directory may be new, so its own entry is made durable too.
	d := l.s.dir
	return errors.Join(disk.SyncDir(d.FS, d.File("snapshots")), disk.SyncDir(d.FS, d.Path))
}

// DiscardSnapshot removes the file of a snapshot, if it is there.
func (l *Log) DiscardSnapshot(name string) error {
	err := l.s.dir.FS.Remove(l.snapshotPath(name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// Tidy removes the files of snapshots that nobody waits for any more, which a
// crash left. It is called at start, after [Log.Replicas].
func (l *Log) Tidy() error {
	d := l.s.dir
	names, err := d.FS.List(d.File("snapshots"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	for _, name := range names {
		err = errors.Join(err, d.FS.Remove(d.FS.PathJoin(d.File("snapshots"), name)))
	}
	return err
}
