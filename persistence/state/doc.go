// Package state has the entities of all shards of a node, as applied from their logs.
//
// What was applied is in memory first, in the layers of its shard, and on disk after the
// next flush. Reads look into the layers and then into Pebble:
//
//	shards.go, shard.go      what memory knows of each shard
//	apply.go, layer.go       an entry becomes the newest revisions of its entities
//	events.go, readevents.go, flushevents.go  what waits to be told to others
//	outcomes.go, block.go    the answers of requests, in a layer and on disk
//	flush.go, due.go         layers are written, and when
//	room.go                  applying waits for a flush
//	read.go                  heads, records, outcomes, entities
//	revisions.go             a cache of revisions, so that a commit need not read
//	known.go, scan.go        a filter of all stored entities
//	replace.go               a snapshot replaces all of it
//
// A commit whose base revision is not the current one fails with [ErrRevision] and leaves
// no trace; the others of its entry are unaffected. An outcome is kept for at least a
// window of shard time, and deleted with the block that it was flushed in.
//
// [Shards.Apply] and [Shards.Flush] may run concurrently with each other and with reads,
// but neither with itself.
package state
