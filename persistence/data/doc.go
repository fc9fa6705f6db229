// Package data has the words in which log and state of a store speak: what is
// committed, and where in a shard's log it is.
//
// An [Entity] has a [Head] and [Record]s beside it. A [Commit] changes all of that at
// once and leaves an [Outcome] for each request that it carries out. A [Change] is an
// entry of a shard's log with the commits in it, at a [Position]. A [Replica] is what a
// node finds of a shard when it starts, and [Applied] how far its state is.
//
// Nothing here reads or writes.
package data
