// Package data has the types that log and state of a store share: what is committed, and
// where in a shard's log it is.
//
// An [Entity] has a [Head] and [Record]s. A [Commit] changes them atomically and leaves an
// [Outcome] for each request that it carries out. A [Change] is an entry of a shard's log
// with its commits, at a [Position]. A [Replica] is what a node finds of a shard when it
// starts, and [Applied] how far its state is.
package data
