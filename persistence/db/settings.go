package db

import (
	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/bloom"
	"github.com/cockroachdb/pebble/v2/objstorage/objstorageprovider"
	"github.com/cockroachdb/pebble/v2/sstable"
	"github.com/cockroachdb/pebble/v2/vfs"

	"ssod/persistence/layout"
)

// cacheSize is the cache as Pebble counts it: it includes two memtables, one that is
// written and one that is flushed or kept for reuse. Without them the cache would have no
// room for a single block.
func (c *Config) cacheSize() int64 { return c.CacheBytes + 2*int64(c.MemTableBytes) }

// formatVersion is that of Pebble's files. It is pinned: with the newest of a newer Pebble
// the previous version of the program could not open the directory. It is raised with a
// format level, when every version that knows the level can read it.
const formatVersion = pebble.FormatValueSeparation

// pebble returns Pebble's options for more than a million small entities.
func (c *Config) pebble(l *logger) *pebble.Options {
	po := &pebble.Options{
		FS:                          c.FS,
		FormatMajorVersion:          formatVersion,
		Comparer:                    comparer(),
		Merger:                      layout.Counter,
		Logger:                      l,
		EventListener:               l.events(),
		CacheSize:                   c.cacheSize(),
		MemTableSize:                c.MemTableBytes,
		MemTableStopWritesThreshold: 4,
		L0CompactionThreshold:       8, // twice how many tables deep it may be
		L0StopWritesThreshold:       64,
		LBaseMaxBytes:               512 << 20,
		MaxOpenFiles:                1000,
		BytesPerSync:                1 << 20,
	}
	for i := range po.Levels {
		// Most look-ups of outcomes miss: a filter on every level, the last
		// included, answers them without reading a block.
		po.Levels[i].FilterPolicy = bloom.FilterPolicy(10)
		po.Levels[i].BlockSize = 4 << 10
		// Small protobufs full of random identifiers shrink little, and in the
		// small levels above the last they are rewritten again and again.
		po.Levels[i].Compression = func() *sstable.CompressionProfile { return sstable.NoCompression }
	}
	return po
}

// NewTable writes a table with the settings of the store.
func (d *DB) NewTable(f vfs.File) *sstable.Writer {
	o := d.config.pebble(d.logger())
	o.EnsureDefaults()
	return sstable.NewWriter(objstorageprovider.NewFileWritable(f), o.MakeWriterOptions(0, d.TableFormat()))
}
