package persistence

import (
	"cmp"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// Options says how to open a store. Only Dir is required.
type Options struct {
	// Dir is the data directory. It is created, with mode 0700.
	Dir string
	// Node is the node's name as the operator gave it; empty means the name in the
	// directory, and DefaultNode for a new one. A name other than the stored one is
	// refused.
	Node, DefaultNode string
	// Shards is the number of entity shards of a new store; 0 means 64. An existing
	// store keeps its own, see [Store.Identity].
	Shards int

	// Cluster and NodeID are those of a new store whose node has joined a cluster;
	// without them a new store founds one, as node 1.
	Cluster string
	NodeID  NodeID

	// Restore opens a directory that [BeginRestore] has made; without it that is refused.
	Restore bool
	// Recovering is the cluster's id after a recovery that [Store.Recover] begins, or
	// has begun: then identity.json may still have the previous one. Empty: none.
	Recovering string

	// Fatal is called once, when a write has failed and the store has stopped. It must
	// end the process, status 1: whether unacknowledged changes are on disk only a
	// restart can tell. It must not call the store. The default panics.
	Fatal func(error)
	// Logger gets what an operator should know; nil means slog.Default.
	Logger *slog.Logger
	// Registerer gets ssod_disk_free_bytes and the metrics of the cache; nil: none.
	Registerer prometheus.Registerer

	// Reserve is the free space in bytes below which changes are refused; 0
	// means 256 MiB. With less the store may lack room for compactions.
	Reserve uint64
	// Ballast is the size in bytes of the file that is deleted when the disk is full all
	// the same; 0 means 64 MiB.
	Ballast int64
	// CheckEvery is how often free space is measured; 0 means 1 s.
	CheckEvery time.Duration

	// CacheBytes bounds the cache of blocks; 0 means 64 MiB. It holds indexes and
	// filters: with less than 2 % of the stored bytes these are read repeatedly. The
	// store's memory is the cache and two memtables.
	CacheBytes int64
	// MemTableBytes is the size of one memtable; up to four exist. 0 means 64 MiB. A
	// larger one writes less in the background, because an entity changes several times
	// and log entries are truncated within it, and takes longer to replay at start
	// (about 0.3 s for each 32 MiB).
	MemTableBytes uint64
	// UnflushedBytes bounds the approximate memory of what is applied and not flushed; 0
	// means 32 MiB. As much again is applied during a flush. At four times that changes
	// are refused, at eight times applying waits. With less, entities that change often
	// are written more often.
	UnflushedBytes int64

	// FS is the file system; nil means the operating system's.
	FS vfs.FS
}

func (o Options) withDefaults() Options {
	if o.Fatal == nil {
		o.Fatal = func(err error) { panic(err) }
	}
	if o.FS == nil {
		o.FS = vfs.Default
	}
	o.Logger = cmp.Or(o.Logger, slog.Default())
	o.Shards = cmp.Or(o.Shards, 64)
	o.Reserve = cmp.Or(o.Reserve, 256<<20)
	o.Ballast = cmp.Or(o.Ballast, 64<<20)
	o.CheckEvery = cmp.Or(o.CheckEvery, time.Second)
	o.CacheBytes = cmp.Or(o.CacheBytes, 64<<20)
	o.MemTableBytes = cmp.Or(o.MemTableBytes, 64<<20)
	o.UnflushedBytes = cmp.Or(o.UnflushedBytes, 32<<20)
	return o
}
