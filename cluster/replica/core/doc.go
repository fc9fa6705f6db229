// Package core is the replication engine's state machine: all replicas of one
// node, without a goroutine, a clock, a socket or a write to disk.
//
// Its driver calls the inputs and then [Core.Round], from one goroutine:
//
//	c.Tick()                       // every 100 ms
//	c.Receive(from, messages)      // a frame arrived
//	c.Propose(&Proposal{...})      // a commit
//	c.Barrier(&Barrier{...})       // a read
//	out := c.Round()
//
// and carries out what the round says: Messages leave at once; Append and Apply go to
// the store, each kind in order, and their end is reported with [Core.AppendDone] and
// [Core.ApplyDone]; likewise Installs, Snapshots and Destroys. Proposals and barriers
// are answered by calling their Done.
//
// Raft itself is go.etcd.io/raft with AsyncStorageWrites. This package packs waiting
// commits into one entry, lets barriers share a question, fences everything by the
// term of the leadership it was asked under, keeps a bounded tail of each log in
// memory, truncates by bytes, freezes a shard while a snapshot is installed, and
// decides which message may leave before which write;
// cluster/replica/DESIGN.md#why-each-message-may-leave-when-it-does has the reasons.
//
// An [Entry] of an unknown version is an [ErrEntryVersion] and stops the node, because
// to skip an entry would make the replicas differ. A frame of an unknown version is
// an [ErrFrameVersion] and ends its connection.
package core
