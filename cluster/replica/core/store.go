package core

import (
	pb "go.etcd.io/raft/v3/raftpb"

	"ssod/persistence"
)

// The vocabulary of logs belongs to package persistence, which stores them.
type (
	ShardID   = persistence.ShardID
	NodeID    = persistence.NodeID
	ReplicaID = persistence.ReplicaID
	Entity    = persistence.Entity
	Position  = persistence.Position
	Applied   = persistence.Applied
	Replica   = persistence.Replica
	LogWrite  = persistence.LogWrite
	Change    = persistence.Change
	Install   = persistence.Install
)

// LogReader reads the log that is on disk.
type LogReader interface {
	// Entries returns the entries from lo up to hi, fewer when they are longer
	// than max bytes together, and at least one.
	Entries(shard ShardID, lo, hi, max uint64) ([]*pb.Entry, error)
	// Scan calls f for each entry of the log, in order, with the size of its data. A
	// damaged or missing entry is an error that names it.
	Scan(shard ShardID, f func(p Position, size int)) error
}

// Store is a node's disk. Calls of Append are sequential, and so are those of Apply;
// the two may be concurrent, and Install with both. The other methods are called by
// the core's goroutine. Nothing is called concurrently for the same shard but Entries.
//
// A crash loses at most the end of what Append and flushes wrote, never a part from
// the middle. When Append with sync returns, everything before it is durable.
type Store interface {
	LogReader
	// Replicas finishes the installations that a crash cut short and returns the
	// replicas that are there.
	Replicas() ([]Replica, error)
	// Append writes all of writes as one batch.
	Append(writes []LogWrite, sync bool) error
	// Apply applies changes in order, in memory: a crash takes back what was not
	// flushed, see [Core.Flushed]. Changes of the configuration, and all before them,
	// are flushed and durable when it returns. Its results are, per change, nil when
	// no commit was rejected, else an error or nil per commit. Only the shard's state
	// and the change decide that.
	Apply(changes []Change) ([][]error, error)
	// Create makes the replica that [persistence.NewReplica] describes,
	// durably. It refuses an id that was used.
	Create(shard ShardID, id ReplicaID, conf *pb.ConfState) (Replica, error)
	// Destroy removes a replica and remembers its id as used, durably.
	Destroy(shard ShardID, id ReplicaID) error
	// Install replaces a shard's state and log by a received snapshot and returns
	// when that is durable. After a crash meanwhile it is done again.
	Install(in Install) (Applied, error)
}
