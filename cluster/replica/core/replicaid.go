package core

import "fmt"

// NodeID numbers a node. The meta group hands node ids out and never hands one
// out twice.
type NodeID uint32

// ReplicaID names one replica of one shard: the node that holds it and which of
// the node's replicas of that shard it is. It is the replica's id in raft.
//
// An id is never used twice. A replica that lost its data must not come back
// under the id whose votes and acknowledgements others still count (raft thesis
// 3.8 rests on it), so a node that holds a shard again does so under the next
// generation.
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

func (r ReplicaID) String() string {
	return fmt.Sprintf("%d/%d", r.Node(), r.Generation())
}
