// Package core is the replication engine's state machine: all replicas of one
// node, without a goroutine, a clock, a socket or a write to disk.
//
// Whoever drives it calls the inputs and then [Core.Round], from one goroutine:
//
//	c.Tick()                       // every 100 ms
//	c.Receive(from, messages)      // a frame came
//	c.Propose(&Proposal{...})      // a commit
//	c.Barrier(&Barrier{...})       // a read
//	out := c.Round()
//
// and does what the round says: Messages leave at once; Append and Apply go to
// the store, each kind in order, and are reported with [Core.AppendDone] and
// [Core.ApplyDone] when they are done; Installs, Snapshots and Destroys likewise.
// Proposals and barriers are answered by calling their Done.
//
// Raft itself is go.etcd.io/raft with AsyncStorageWrites. What this package adds:
// it packs the commits that wait into one entry, shares barriers, fences
// everything by the term of the leadership it was asked under, keeps a bounded
// end of each log in memory, truncates by bytes, freezes a shard while a snapshot
// is installed, and decides which message may leave before which write.
// cluster/replica/DESIGN.md#why-each-message-may-leave-when-it-does has the reasons.
//
// An [Entry] is what one log entry carries. Its format has a version; an unknown one
// is an [ErrEntryVersion] and stops the node, because skipping an entry would break
// the agreement of the replicas. A frame of another version is an [ErrFrameVersion]
// and ends the connection that it came over.
package core
