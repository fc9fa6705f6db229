package persistence

import (
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// Options says how to open a store. Only Dir is required.
type Options struct {
	// Dir is the data directory. It is created, with mode 0700.
	Dir string
	// Node is the node's name as the operator gave it; empty means the name in
	// the directory, and DefaultNode when the directory is new. Another name
	// than the stored one is refused.
	Node, DefaultNode string
	// Shards is the number of entity shards of a new store; 0 means 64. A
	// store that exists keeps its own, see [Store.Identity].
	Shards int

	// Cluster and NodeID are of a new store whose node has joined a cluster;
	// without them a new store founds one, of which it is node 1.
	Cluster string
	NodeID  NodeID

	// Restore opens a directory that [BeginRestore] has made, which nobody else opens.
	Restore bool
	// Recovering is the cluster's id after a recovery that [Store.Recover] begins, or
	// has begun: then identity.json may still have the one before. Empty: none.
	Recovering string

	// Fatal is called once, when a write failed and the store does nothing
	// more. It must end the process, status 1: what was not acknowledged
	// may or may not be on disk, and only a restart can tell. It must not
	// call the store. The default panics.
	Fatal func(error)
	// Logger gets what an operator should know; nil means slog.Default.
	Logger *slog.Logger
	// Registerer gets ssod_disk_free_bytes and what the cache does; nil means no
	// metrics.
	Registerer prometheus.Registerer

	// Reserve is the free space in bytes below which changes are refused; 0
	// means 256 MiB. Less leaves the store no room to tidy up.
	Reserve uint64
	// Ballast is the size in bytes of the file that is given back when the
	// disk is full all the same; 0 means 64 MiB.
	Ballast int64
	// CheckEvery is how often free space is measured; 0 means 1 s.
	CheckEvery time.Duration

	// CacheBytes bounds the cache of blocks; 0 means 64 MiB. Indexes and filters
	// are in it: with less than 2 % of what is stored they are read again and
	// again. Together with two memtables it is what the store keeps in memory.
	CacheBytes int64
	// MemTableBytes is the size of one memtable; up to four exist. 0 means
	// 64 MiB. A larger one writes less in the background, because entities
	// change several times in it and log entries end in it, and takes longer to
	// replay at start (about 0.3 s for each 32 MiB).
	MemTableBytes uint64
	// UnflushedBytes is about how much memory what was applied may take before it is
	// flushed; 0 means 32 MiB. While it is written as much again is applied. At four
	// times that changes are refused, at eight whoever applies waits. Less writes
	// the state of entities more often that change again and again.
	UnflushedBytes int64

	// FS is the file system; nil means the operating system's.
	FS vfs.FS
}

func (o Options) withDefaults() Options {
	if o.Fatal == nil {
		o.Fatal = func(err error) { panic(err) }
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	if o.FS == nil {
		o.FS = vfs.Default
	}
	o.Shards = orDefault(o.Shards, 64)
	o.Reserve = orDefault(o.Reserve, 256<<20)
	o.Ballast = orDefault(o.Ballast, 64<<20)
	o.CheckEvery = orDefault(o.CheckEvery, time.Second)
	o.CacheBytes = orDefault(o.CacheBytes, 64<<20)
	o.MemTableBytes = orDefault(o.MemTableBytes, 64<<20)
	o.UnflushedBytes = orDefault(o.UnflushedBytes, 32<<20)
	return o
}

func orDefault[T comparable](v, def T) T {
	var zero T
	if v == zero {
		return def
	}
	return v
}
