package persistence

import (
	"time"

	pb "go.etcd.io/raft/v3/raftpb"
)

// Log is the replication log of all shards and turns its entries into state. It lies in
// the same Pebble as the state, whose write-ahead log a crash can only shorten: a flushed
// state never exists without the log that it came from, nor a truncation without the
// state that it rests on.
//
// [Log.Append], [Log.Apply] and [Log.Flush] may run concurrently, but none with itself,
// and a shard is not created, replaced by a snapshot or destroyed during its appends and
// applies.
type Log struct{ s *Store }

// Log returns the replication log of the store. It is the only way to change what
// a shard holds.
func (s *Store) Log() *Log { return &Log{s} }

// Append writes all of writes as one batch. With sync it returns when the
// batch, and everything written before it, is on disk. A log that was there
// before is scanned first.
func (l *Log) Append(writes []LogWrite, sync bool) error { return l.s.log.Append(writes, sync) }

// Begin is Append without the wait: it returns when Pebble has queued the batch. Every
// write must be waited for, in the order in which they began.
func (l *Log) Begin(writes []LogWrite, sync bool) (*Write, error) {
	return l.s.log.Begin(writes, sync)
}

// Entries returns the entries from lo up to hi, or fewer of at most limit bytes together,
// but at least one.
func (l *Log) Entries(shard ShardID, lo, hi, limit uint64) ([]*pb.Entry, error) {
	return l.s.log.Entries(shard, lo, hi, limit)
}

// Scan calls f for each entry of a shard's log with the size of its data, in
// order. A damaged or missing entry is an [ErrDamaged] that names it.
func (l *Log) Scan(shard ShardID, f func(p Position, size int)) error { return l.s.log.Scan(shard, f) }

// Create makes the replica that [NewReplica] describes, durably.
func (l *Log) Create(shard ShardID, id ReplicaID, conf *pb.ConfState) (Replica, error) {
	return l.s.log.Create(shard, id, conf)
}

// CreateAll is Create for several shards: all or none are made, with one sync.
func (l *Log) CreateAll(shards []ShardID, id ReplicaID, conf *pb.ConfState) ([]Replica, error) {
	return l.s.log.CreateAll(shards, id, conf)
}

// Destroy removes a replica with its log and state, and remembers its id as
// used, durably.
func (l *Log) Destroy(shard ShardID, id ReplicaID) error { return l.s.log.Destroy(shard, id) }

// NextReplica is the id of the next replica that a node makes of a shard: one
// that was never used.
func (l *Log) NextReplica(shard ShardID, node NodeID) (ReplicaID, error) {
	return l.s.log.NextReplica(shard, node)
}

// Apply applies entries in order, in memory, and owns what they hold from then on. The
// result has, per change, why its commits were rejected. See
// [ssod/persistence/state.Shards.Apply].
func (l *Log) Apply(changes []Change) ([][]error, error) { return l.s.shards.Apply(changes) }

// Admit refuses a change of about size bytes when the disk is below its reserve
// ([ErrNoSpace]), when too much waits to be flushed, or when the store has failed or is
// closed.
func (l *Log) Admit(size int) error {
	if err := l.s.Err(); err != nil {
		return err
	}
	select {
	case <-l.s.stop:
		return ErrClosed
	default:
	}
	if err := l.s.shards.Admit(); err != nil {
		return err
	}
	return l.s.space.Admit(size)
}

// Flush writes what some shards, or all, have applied since their last flush. Without
// room on the disk it fails with [ErrNoSpace]: what was applied stays in memory and its
// entries in the log. See [ssod/persistence/state.Shards.Flush].
func (l *Log) Flush(shards ...ShardID) error { return l.s.shards.Flush(shards...) }

// Flushed is the last entry whose effect is on disk: the log may be truncated up to it.
func (l *Log) Flushed(shard ShardID) uint64 { return l.s.shards.Flushed(shard) }

// FlushDue receives when it is time for [Log.Flush].
func (l *Log) FlushDue() <-chan struct{} { return l.s.shards.FlushDue() }

// Turn has Pebble write its memtable to a table if it is at least half full. It is called
// after a flush and truncation, so that the truncated entries are dropped and not written.
func (l *Log) Turn() error { return l.s.db.Turn() }

// Halt ends the waiting of [Log.Apply] for room in memory, before flushes end: from the
// first time that it would wait it fails with [ErrClosed]. The entries are in the log.
func (l *Log) Halt() { l.s.shards.Halt() }

// Full reports whether changes are refused because free disk space is below the
// reserve.
func (l *Log) Full() bool { return l.s.space.Full() }

// Busy is the age of the oldest write or sync in flight; 0: none.
func (l *Log) Busy() time.Duration { return l.s.busy.Age() }
