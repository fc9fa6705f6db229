// Package persistence keeps what a node must not forget in one Pebble store.
//
// A data directory holds:
//
//	LOCK           held while a process uses the directory
//	identity.json  whose directory it is: cluster, node, format, shards
//	watermark      how far the store certainly was written; finds lost tails
//	ballast        64 MiB that are given back when the disk is full
//	store/         Pebble
//
// Package disk is what is asked of that directory and of the disk that it is on.
//
// The keys in Pebble, all integers big endian:
//
//	00 "identity"                        the same as identity.json
//	00 "sequence", 00 "count"            number of the last batch, and of all
//	00 "boots"                           starts of the node on this directory
//	00 "peer" node                       what is known of another node
//	01 shard what                        hard state, truncated position, applied
//	                                     position with shard time, ...
//	02 shard index                       log entry
//	03 shard 'e' entity                  head: revision, schema, flags, state
//	03 shard 'e' entity part             a record beside the head
//	03 shard 'o' index number            block: outcomes that one flush wrote
//	03 shard 't'                         shard time that came with a snapshot
//
// An entity is encoded as its kind behind its length and a digest of its identity,
// so no entity is a prefix of another and its records follow its head directly.
// The identity itself is in the head only, and goes with it: [Store.Scrub].
// Everything of a shard lies between 03 shard and 03 shard+1.
//
// Every change of a shard is an entry of its log: [Log.Append] makes entries
// durable, and that is all that a commit writes. [Log.Apply] makes them part of the
// state in memory, and [Log.Flush] writes what has changed from time to time, each
// entity once; then the log can be truncated. DESIGN.md has the rules. Reads look
// into memory first. A commit whose base revision is not the present one ends in
// [ErrRevision] and leaves no trace; the others of its entry are unaffected.
//
// An outcome is found for a window of shard time at least, and goes with the block
// that it was flushed in.
//
// When a write fails the store fails for good: what a failed fsync left behind
// is unknown, so it is never retried. [Options.Fatal] is called and the process
// must end. Below its disk reserve the store refuses changes with [ErrNoSpace]
// and goes on reading.
//
// A Store is safe for concurrent use. Times are UTC, in milliseconds.
package persistence
