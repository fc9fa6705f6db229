// Package replica replicates shards: it implements [cluster.Shards] on raft.
//
// Package core decides; it is a plain state machine. This package gives it a
// clock, a disk and a network:
//
//	callers --> inbox --> core --> transport
//	                     |    |
//	                     v    v
//	                append    apply     one goroutine each
//	                     \    /
//	                      store
//
// The core belongs to the goroutine that has the turn: the loop, which ticks and takes
// inputs, or a writer that reports what it has finished. None waits for the disk or the
// network while it has the turn. The append goroutine writes the logs of all shards as
// one batch with one sync, and applies earlier commits while the disk syncs; the apply
// goroutine applies those that come meanwhile. The number of goroutines does not depend
// on that of shards.
//
// cluster/replica/DESIGN.md#what-is-durable-when says what is durable when, and why each
// message may leave when it does. Package sim breaks the whole on purpose and checks it.
package replica
