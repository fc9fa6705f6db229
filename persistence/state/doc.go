// Package state is what the entries of a log have become: the entities of all shards
// of a node.
//
// What was applied is in memory first, in the layers of its shard, and on disk after
// the next flush. Reads look into the layers and then into Pebble:
//
//	shards.go, shard.go      what memory knows of each shard
//	apply.go, layer.go       an entry becomes the newest revisions of its entities
//	outcomes.go, block.go    the answers of requests, in a layer and on disk
//	flush.go, due.go         layers are written, and when
//	room.go                  whoever applies waits for a flush
//	read.go                  heads, records, outcomes, entities
//	revisions.go             revisions that are remembered, so that a commit need not look
//	known.go, scan.go        a filter of all entities that are stored
//	replace.go               a snapshot takes the place of all of it
//
// A commit whose base revision is not the present one ends in [ErrRevision] and leaves
// no trace; the others of its entry are unaffected. An outcome is found for a window of
// shard time at least, and goes with the block that it was flushed in.
//
// [Shards.Apply] and [Shards.Flush] may run beside each other and reads, neither beside
// itself.
package state
