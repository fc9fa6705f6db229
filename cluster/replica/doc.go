// Package replica replicates shards: it implements [cluster.Shards] on raft.
//
// Package core decides; it is a plain state machine. This package gives it a
// clock, a disk and a network:
//
//	callers --> inbox --> loop (core) --> transport
//	                       |     |
//	                       v     v
//	                   append   apply     one goroutine each
//	                       \     /
//	                        store
//
// The loop never waits. The append goroutine writes the logs of all shards as
// one batch with one sync, the apply goroutine applies committed entries, and
// both report back through the inbox. A node runs the same few goroutines
// whatever the number of its shards.
//
// DESIGN.md says what is durable when, and why each message may leave when it
// does. Package sim breaks the whole on purpose and checks it.
package replica
