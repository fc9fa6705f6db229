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
// The keys in Pebble, all integers big endian:
//
//	00 "identity"                        the same as identity.json
//	00 "sequence", 00 "count"            number of the last batch, and of all
//	00 "boots"                           starts of the node on this directory
//	00 "peer" node                       what is known of another node
//	01 shard ..., 02 shard index         reserved for the replication log
//	03 shard 'e' entity                  head: revision, schema, flags,
//	                                     latest outcomes, state
//	03 shard 'e' entity part             a record beside the head
//	03 shard 'o' entity request step     outcome that has no room in the head
//	03 shard 'q' time entity request step  orders these outcomes for trimming
//	03 shard 'r'                         to when the shard time was set back,
//	                                     while there may be later outcomes
//	03 shard 't'                         shard time, unless the one beside the
//	                                     applied position is later
//
// An entity is encoded as its kind behind its length and a digest of its identity,
// so no entity is a prefix of another and its records follow its head directly.
// The identity itself is in the head only, and goes with it: [Store.Scrub].
// Everything of a shard lies between 03 shard and 03 shard+1.
//
// An outcome is written into its entity's head, and dropped by the first commit
// after it has left the window. When newer ones need its place before that, or
// the entity is removed, it becomes a record, and is trimmed in order of time.
//
// Every change of a shard is an entry of its log: [Log.Append] makes entries
// durable, [Log.Apply] makes them part of the state. A commit whose base revision
// is not the stored one ends in [ErrRevision] and leaves no trace; the others of
// its entry are unaffected. Reads never show a change that is not yet synced.
//
// When a write fails the store fails for good: what a failed fsync left behind
// is unknown, so it is never retried. [Options.Fatal] is called and the process
// must end. Below its disk reserve the store refuses changes with [ErrNoSpace]
// and goes on reading.
//
// A Store is safe for concurrent use. Times are UTC, in milliseconds.
package persistence
