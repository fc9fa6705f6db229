package persistence

import (
	pb "go.etcd.io/raft/v3/raftpb"

	"ssod/persistence/data"
	"ssod/persistence/raftlog"
)

// The types of package data, by the names that other packages use: what is kept,
type (
	Entity    = data.Entity
	Slot      = data.Slot
	RequestID = data.RequestID
	Head      = data.Head
	Record    = data.Record
	Outcome   = data.Outcome
	Commit    = data.Commit
	Event     = data.Event
	EventKey  = data.EventKey
	Mark      = data.Mark
	Fate      = data.Fate
)

// and where.
type (
	ShardID   = data.ShardID
	NodeID    = data.NodeID
	ReplicaID = data.ReplicaID
	Position  = data.Position
	Applied   = data.Applied
	Replica   = data.Replica
	Recovered = data.Recovered
	LogWrite  = data.LogWrite
	Change    = data.Change
	Write     = raftlog.Write
)

// Slots is how many hash slots there are.
const Slots = data.Slots

// SlotOf is the slot of entities with a hash.
func SlotOf(hash uint64) Slot { return data.SlotOf(hash) }

// Where an event is, and what a mark makes of it.
const (
	EventQueue = data.SpaceQueue
	EventDead  = data.SpaceDead
	Delivered  = data.Delivered
	Dead       = data.Dead
	Queued     = data.Queued
)

// Limits of a commit, and how long an outcome is kept at least.
const (
	MaxKind       = data.MaxKind
	MaxIdentity   = data.MaxIdentity
	MaxPart       = data.MaxPart
	MaxValue      = data.MaxValue
	MaxEvent      = data.MaxEvent
	MaxCommit     = data.MaxCommit
	OutcomeWindow = data.OutcomeWindow
)

// NewReplicaID returns the id of a node's replica of the given generation,
// which counts from 1.
func NewReplicaID(n NodeID, generation uint32) ReplicaID { return data.NewReplicaID(n, generation) }

// NewReplica is a replica with nothing in it. With a configuration it is a first member
// of a new shard, else it waits for a snapshot.
func NewReplica(shard ShardID, id ReplicaID, conf *pb.ConfState) Replica {
	return data.NewReplica(shard, id, conf)
}

// NewEventKey is the key of an event.
func NewEventKey(space byte, receiver, sequence uint64, entity string) EventKey {
	return data.NewEventKey(space, receiver, sequence, entity)
}

// EventSequence is the sequence of the nth event of a log entry.
func EventSequence(index uint64, n int) uint64 { return data.EventSequence(index, n) }
