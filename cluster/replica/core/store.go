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
	// Scan calls f for each entry of the log with the size of its data, in
	// order. A damaged or missing entry is an error that names it.
	Scan(shard ShardID, f func(p Position, size int)) error
}

// Store is a node's disk. Append is not called beside another Append, Apply not
// beside another Apply; the two may run beside each other, and Install beside
// all. The rest belongs to whoever has the core. What belongs to one shard is
// not called concurrently, except Entries beside all.
//
// What Append and flushes write survives a crash in the order in which it was
// written: a crash loses an end of it, never a part from the middle. A call of
// Append with sync, when it returns, has made everything before it durable.
type Store interface {
	LogReader
	// Replicas returns what is there, after finishing the installations that
	// a crash cut short.
	Replicas() ([]Replica, error)
	// Append writes all of writes as one batch.
	Append(writes []LogWrite, sync bool) error
	// Apply applies changes in order, in memory: a crash takes back what was not
	// flushed, see [Core.Flushed]. Changes of the configuration are flushed, with
	// all before them, and durable when it returns. It returns, per change, why
	// its commits were rejected: nil when none was, else one error per commit, nil
	// for the ones that are applied. Nothing but the shard's state and the change
	// decides that.
	Apply(changes []Change) ([][]error, error)
	// Create makes the replica that [persistence.NewReplica] describes,
	// durably. It refuses an id that was used.
	Create(shard ShardID, id ReplicaID, conf *pb.ConfState) (Replica, error)
	// Destroy removes a replica and remembers its id as used, durably.
	Destroy(shard ShardID, id ReplicaID) error
	// Install replaces a shard's state and log by a received snapshot. It
	// returns when that is durable. A crash meanwhile loses nothing of the
	// replica: the installation is done again.
	Install(in Install) (Applied, error)
}
