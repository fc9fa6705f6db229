// Package persistence keeps what a node must not forget in one Pebble store.
//
// A data directory holds:
//
//	LOCK           held while a process uses the directory
//	identity.json  whose directory it is: cluster, node, format, shards
//	level          the format level of the cluster, once it is above the first
//	watermark      how far the store was certainly written; detects lost tails
//	ballast        64 MiB that are deleted when the disk is full
//	store/         Pebble
//	restoring      while it is made from a backup: no node starts on it
//
// Its packages, from the top down; none imports one above it, and log and state know
// each other only by an interface in package raftlog:
//
//	persistence    opens, closes and scrubs the store, installs and exports snapshots,
//	               keeps notes; the names that others use
//	raftlog        the log side: entries, hard states, truncations, replicas
//	state          the state side: what entries have become, in memory and on disk
//	db             Pebble, its settings, and the end when a write fails
//	layout         keys and values in Pebble
//	disk           the data directory, its free space, the file systems over it
//	backup         what a backup consists of, and how it is encrypted
//	data           what is committed and where in a log it is, in Go
//	pace           lets background work yield to requests
//
// Every change of a shard is an entry of its log: [Log.Append] makes entries durable, and
// a commit writes nothing else. [Log.Apply] applies them in memory, and [Log.Flush] now
// and then writes what has changed, each entity once; then the log can be truncated.
// persistence/DESIGN.md#overlay-and-flush has the rules.
//
// A failed write ends the store: what a failed fsync left on disk is unknown, so it is
// never retried. [Options.Fatal] is called and must end the process. Below its disk
// reserve the store refuses changes with [ErrNoSpace] and goes on reading.
//
// A Store is safe for concurrent use. Times are UTC, in milliseconds.
package persistence
