package data

import (
	"fmt"

	pb "go.etcd.io/raft/v3/raftpb"
)

// NodeID numbers a node. The meta group never hands one out twice.
type NodeID uint32

// ReplicaID names one replica of one shard: the node that holds it and which of
// the node's replicas of that shard it is. It is the replica's id in raft.
//
// An id is never used twice. A replica that lost its data must not return under the id
// whose votes and acknowledgements others still count (raft thesis 3.8), so a node that
// holds a shard again does so under the next generation.
type ReplicaID uint64

// NewReplicaID returns the id of a node's replica of the given generation,
// which counts from 1.
func NewReplicaID(n NodeID, generation uint32) ReplicaID {
	return ReplicaID(n)<<32 | ReplicaID(generation)
}

// Node is the node that holds the replica.
func (r ReplicaID) Node() NodeID { return NodeID(r >> 32) }

// Generation counts the node's replicas of the shard.
func (r ReplicaID) Generation() uint32 { return uint32(r) }

// String returns node/generation.
func (r ReplicaID) String() string {
	return fmt.Sprintf("%d/%d", r.Node(), r.Generation())
}

// Position is a position in a shard's log.
type Position struct {
	Index, Term uint64
}

// Applied says how far a shard's state is.
type Applied struct {
	Position
	// Conf is the configuration at this position.
	Conf *pb.ConfState
	// Time is the shard time: the latest time of any applied entry, in
	// milliseconds since 1970.
	Time uint64
}

// Replica is what a node finds of one of its replicas when it starts.
type Replica struct {
	Shard ShardID
	ID    ReplicaID
	// Hard is nil until the first one is written.
	Hard *pb.HardState
	// Truncated is the last truncated entry; the log begins after it.
	Truncated Position
	Applied   Applied
}

// LogWrite is a change of one shard's log.
type LogWrite struct {
	Shard ShardID
	// Entries are appended in place of those from the first index on.
	Entries []*pb.Entry
	// Hard replaces the hard state; nil keeps it.
	Hard *pb.HardState
	// Truncate removes the entries up to it, which may be after the last one; the zero
	// Position none.
	Truncate Position
}

// Change is one log entry to be applied to a shard's state.
type Change struct {
	Shard ShardID
	Position
	// Time is the proposer's clock; zero for an entry without commits.
	Time    uint64
	Commits []Commit
	// Reset: Time becomes the shard time even if that is later. There are no commits
	// then.
	Reset bool
	// Conf is the configuration from this entry on; nil: unchanged.
	Conf *pb.ConfState
}

// After is the shard time after the change, and time the one before.
func (c *Change) After(time uint64) uint64 {
	if c.Reset {
		return c.Time
	}
	return max(time, c.Time)
}

// firstPosition is where the log of a new shard begins. It is not zero, so that a replica
// that joins finds the beginning truncated and gets a snapshot.
var firstPosition = Position{Index: 1, Term: 1}

// NewReplica is a replica with nothing in it. With a configuration it is a
// first member of a new shard, else it waits for a snapshot.
func NewReplica(shard ShardID, id ReplicaID, conf *pb.ConfState) Replica {
	r := Replica{Shard: shard, ID: id, Applied: Applied{Conf: &pb.ConfState{}}}
	if conf != nil {
		r.Hard = &pb.HardState{Term: new(firstPosition.Term), Vote: new(uint64(0)), Commit: new(firstPosition.Index)}
		r.Truncated = firstPosition
		r.Applied = Applied{Position: firstPosition, Conf: conf}
	}
	return r
}
