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
// The core belongs to whoever has the turn: the loop, which ticks and takes what
// comes, or a writer that has finished something and reports it. Nobody waits
// for the disk or the network while having it. The append goroutine writes the
// logs of all shards as one batch with one sync and applies what was committed
// before while the disk syncs; the apply goroutine applies what comes meanwhile.
// A node runs the same few goroutines whatever the number of its shards.
//
// cluster/replica/DESIGN.md#what-is-durable-when says what is durable when, and why each
// message may leave when it does. Package sim breaks the whole on purpose and checks it.
package replica
