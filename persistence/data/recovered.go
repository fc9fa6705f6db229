package data

import pb "go.etcd.io/raft/v3/raftpb"

// Recovered is a replica of a group that is re-formed after the loss of a majority.
type Recovered struct {
	Shard ShardID
	// ID is the replica's from now on. Its generation was never used here.
	ID ReplicaID
	// Term is later than any that a member of the group may have seen.
	Term uint64
	// Conf are the members from now on, whatever the log says.
	Conf *pb.ConfState
	// Empty: nothing is left of the shard, and this is its first replica.
	Empty bool
}
