package core

import (
	pb "go.etcd.io/raft/v3/raftpb"

	"ssod/persistence"
)

// ShardID numbers a shard.
type ShardID = persistence.ShardID

// Position is a place in a shard's log.
type Position struct {
	Index, Term uint64
}

// Applied says how far a shard's state is.
type Applied struct {
	Position
	// Conf is the configuration at this place.
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
	// Truncated is the last entry that the log has lost; the log begins after
	// it.
	Truncated Position
	Applied   Applied
}

// LogReader reads the log that is on disk.
type LogReader interface {
	// Entries returns the entries from lo up to hi, fewer when they are longer
	// than max bytes together, and at least one.
	Entries(shard ShardID, lo, hi, max uint64) ([]*pb.Entry, error)
	// Scan calls f for each entry of the log with the size of its data, in
	// order. A damaged or missing entry is an error that names it.
	Scan(shard ShardID, f func(p Position, size int)) error
}

// LogWrite is a change of one shard's log.
type LogWrite struct {
	Shard ShardID
	// Entries are appended; the ones that are there from the first index on
	// are removed first.
	Entries []*pb.Entry
	// Hard replaces the hard state; nil keeps it.
	Hard *pb.HardState
	// Truncate removes the entries up to it; the zero Position none.
	Truncate Position
}

// Change is one log entry to be applied to a shard's state.
type Change struct {
	Shard ShardID
	Position
	// Time is the proposer's clock; zero for an entry without commits.
	Time    uint64
	Commits []persistence.Commit
	// Conf is the configuration from this entry on; nil when the entry does
	// not change it.
	Conf *pb.ConfState
}

// Store is a node's disk. Append and Apply are called from one goroutine each,
// which may be two; the rest belongs to the goroutine of the core.
//
// What Append and Apply write survives a crash in the order in which it was
// written: a crash loses an end of it, never a part from the middle. A call of
// Append with sync, when it returns, has made everything before it durable.
type Store interface {
	LogReader
	// Append writes all of writes as one batch.
	Append(writes []LogWrite, sync bool) error
	// Apply applies changes in order as one batch that need not be durable. It
	// returns, per change, why its commits were rejected: nil when none was,
	// else one error per commit, which is nil or [ErrRejected].
	Apply(changes []Change) ([][]error, error)
	// Create makes an empty replica, durably. With a configuration it is the
	// first member of a new shard, else it waits for a snapshot.
	Create(shard ShardID, id ReplicaID, conf *pb.ConfState) (Replica, error)
	// Destroy removes a replica and remembers its id as used, durably.
	Destroy(shard ShardID, id ReplicaID) error
	// Install replaces a shard's state and log by a received snapshot. It
	// returns when that is durable, or will be done again after a crash.
	Install(in Install) (Applied, error)
}

// Install is a snapshot to be installed.
type Install struct {
	Shard ShardID
	// Snapshot has the place and the configuration; its Data names the files
	// that were received.
	Snapshot *pb.Snapshot
	// Hard is written together with it, and so are Entries, which follow it
	// in the log.
	Hard    *pb.HardState
	Entries []*pb.Entry
}

// firstPosition is where the log of a new shard begins. It is not zero so that
// a replica that joins finds the beginning truncated and gets a snapshot.
var firstPosition = Position{Index: 1, Term: 1}

// Bootstrap is what [Store.Create] writes for the first replica of a shard.
func Bootstrap(shard ShardID, id ReplicaID, conf *pb.ConfState) Replica {
	r := Replica{Shard: shard, ID: id, Applied: Applied{Conf: &pb.ConfState{}}}
	if conf != nil {
		r.Hard = &pb.HardState{Term: new(firstPosition.Term), Vote: new(uint64(0)), Commit: new(firstPosition.Index)}
		r.Truncated = firstPosition
		r.Applied = Applied{Position: firstPosition, Conf: conf}
	}
	return r
}

// Entity names what a commit concerns.
type Entity = persistence.Entity
