package persistence

import (
	"time"

	pb "go.etcd.io/raft/v3/raftpb"
)

// Log is the replication log of all shards and the way their entries become
// state. It lies in the same Pebble as the state, whose write-ahead log a crash
// can only shorten: a flushed state is never there without the log that it came
// from, nor a truncation without the state that it rests on.
//
// [Log.Append], [Log.Apply] and [Log.Flush] may run beside each other, none beside
// itself. What concerns one shard's creation, installation and destruction is not
// called beside its appends and applies.
type Log struct{ s *Store }

// Log returns the replication log of the store. It is the only way to change what
// a shard holds.
func (s *Store) Log() *Log { return &Log{s} }

// Append writes all of writes as one batch. With sync it returns when the
// batch, and everything written before it, is on disk. A log that was there
// before is scanned first.
func (l *Log) Append(writes []LogWrite, sync bool) error { return l.s.log.Append(writes, sync) }

// Begin is Append without the wait: Pebble has the batch in its queue when it
// returns. Every write must be waited for, in the order in which they began.
func (l *Log) Begin(writes []LogWrite, sync bool) (*Write, error) {
	return l.s.log.Begin(writes, sync)
}

// Entries returns the entries from lo up to hi, fewer when they are longer than
// limit bytes together, and at least one.
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

// Apply applies entries in order, in memory. The result has, per change, why its
// commits were rejected. What a change holds is the store's from then on. See
// [ssod/persistence/state.Shards.Apply].
func (l *Log) Apply(changes []Change) ([][]error, error) { return l.s.shards.Apply(changes) }

// Admit refuses a change of about size bytes when the disk is below its
// reserve, with [ErrNoSpace], when too much waits to be flushed, or when the store
// has failed or is closed.
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

// Flush writes what some shards, or all, have applied since their last flush. A disk
// that has not the room is not written to: then it is [ErrNoSpace], what was applied
// stays in memory and its entries in the log. See [ssod/persistence/state.Shards.Flush].
func (l *Log) Flush(shards ...ShardID) error { return l.s.shards.Flush(shards...) }

// Flushed is up to which entry a shard's state is on disk: its log may be
// truncated to there.
func (l *Log) Flushed(shard ShardID) uint64 { return l.s.shards.Flushed(shard) }

// FlushDue yields when it is time for [Log.Flush].
func (l *Log) FlushDue() <-chan struct{} { return l.s.shards.FlushDue() }

// Turn lets Pebble write its memtable to a table, if it is half full at least. It
// is called after a flush, when the entries up to it are truncated: they are
// dropped then instead of written.
func (l *Log) Turn() error { return l.s.db.Turn() }

// Halt ends the waiting of [Log.Apply] for room in memory, before whoever flushes
// ends: it fails with [ErrClosed] where it would wait, and from then on. The entries
// are in the log.
func (l *Log) Halt() { l.s.shards.Halt() }

// Full reports whether changes are refused because free disk space is below the
// reserve.
func (l *Log) Full() bool { return l.s.space.Full() }

// Busy is for how long the disk has been at what it has taken longest for; 0 when
// nothing is under way.
func (l *Log) Busy() time.Duration { return l.s.busy.Age() }
