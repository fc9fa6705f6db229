package raftlog

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/cockroachdb/pebble/v2"
	pb "go.etcd.io/raft/v3/raftpb"

	"ssod/persistence/data"
	"ssod/persistence/layout"
)

// ErrReplicaID: the replica id was used before, or there is a replica.
var ErrReplicaID = errors.New("the replica id was used before")

// Shards returns the shards with a replica.
func (l *Log) Shards() ([]data.ShardID, error) {
	span := layout.LogStates()
	it, err := l.db.NewIter(&pebble.IterOptions{LowerBound: span.Start, UpperBound: span.End})
	if err != nil {
		return nil, layout.Damaged(err)
	}
	var shards []data.ShardID
	for it.First(); it.Valid(); it.Next() {
		if shard, what, ok := layout.ParseLogStateKey(it.Key()); ok && what == layout.LogReplica {
			shards = append(shards, shard)
		}
	}
	return shards, layout.Damaged(errors.Join(it.Error(), it.Close()))
}

// Replica reads what the store has of a shard's replica.
func (l *Log) Replica(shard data.ShardID) (r data.Replica, err error) {
	r.Shard = shard
	fail := func(what string, err error) (data.Replica, error) {
		return data.Replica{}, fmt.Errorf("%s of shard %d: %w", what, shard, err)
	}
	id, err := l.value(shard, layout.LogReplica)
	if err != nil || len(id) != 8 {
		return fail("replica id", errors.Join(err, lengthError(id, 8)))
	}
	r.ID = data.ReplicaID(binary.BigEndian.Uint64(id))
	if b, err := l.db.Read(layout.LogStateKey(shard, layout.LogHard)); err != nil {
		return fail("hard state", err)
	} else if b != nil {
		r.Hard = &pb.HardState{}
		if err := layout.OpenMessage(b, r.Hard); err != nil {
			return fail("hard state", err)
		}
	}
	b, err := l.value(shard, layout.LogTruncated)
	if err == nil {
		r.Truncated, err = layout.DecodePosition(b)
	}
	if err != nil {
		return fail("truncated position", err)
	}
	if r.Applied, err = layout.ReadApplied(l.db, shard); err != nil {
		return fail("applied position", err)
	}
	if r.Applied.Index < r.Truncated.Index {
		return fail("log", fmt.Errorf("%w: it begins behind %d, but the state is at %d", data.ErrDamaged, r.Truncated.Index, r.Applied.Index))
	}
	if a := l.state.Applied(shard); a.Index > r.Applied.Index {
		r.Applied = a
	}
	return r, nil
}

func lengthError(b []byte, n int) error {
	if b == nil || len(b) == n {
		return nil
	}
	return fmt.Errorf("%w: %d bytes", data.ErrDamaged, len(b))
}

// value reads a sealed value of a shard's log state. One that is missing is an
// [data.ErrNoReplica].
func (l *Log) value(shard data.ShardID, what byte) ([]byte, error) {
	b, err := l.db.Read(layout.LogStateKey(shard, what))
	if err != nil {
		return nil, err
	}
	if b == nil {
		return nil, data.ErrNoReplica
	}
	return layout.Unsealed(b)
}

// Create makes the replica that [data.NewReplica] describes, durably.
func (l *Log) Create(shard data.ShardID, id data.ReplicaID, conf *pb.ConfState) (data.Replica, error) {
	rs, err := l.CreateAll([]data.ShardID{shard}, id, conf)
	if err != nil {
		return data.Replica{}, err
	}
	return rs[0], nil
}

// CreateAll is Create for several shards: all or none are made, with one sync.
func (l *Log) CreateAll(shards []data.ShardID, id data.ReplicaID, conf *pb.ConfState) ([]data.Replica, error) {
	b := l.db.NewBatch()
	defer b.Close()
	rs := make([]data.Replica, len(shards))
	for i, shard := range shards {
		if err := l.unused(shard, id); err != nil {
			return nil, fmt.Errorf("create replica %v of shard %d: %w", id, shard, err)
		}
		rs[i] = data.NewReplica(shard, id, conf)
		if err := l.stageReplica(b, rs[i]); err != nil {
			return nil, err
		}
	}
	if err := l.db.Commit(b, pebble.Sync); err != nil {
		return nil, err
	}
	for _, r := range rs {
		l.setEnd(r.Shard, r.Truncated.Index)
		if err := l.state.Replace(r.Shard, func() error { return nil }); err != nil {
			return nil, err
		}
	}
	return rs, nil
}

// unused refuses an id that was used before, and any id while there is a replica.
func (l *Log) unused(shard data.ShardID, id data.ReplicaID) error {
	used, err := l.used(shard)
	if err != nil {
		return err
	}
	there, err := l.db.Read(layout.LogStateKey(shard, layout.LogReplica))
	if err == nil && (there != nil || id.Generation() <= used) {
		err = ErrReplicaID
	}
	return err
}

func (l *Log) stageReplica(b *pebble.Batch, r data.Replica) error {
	id := binary.BigEndian.AppendUint64(nil, uint64(r.ID))
	if err := b.Set(layout.LogStateKey(r.Shard, layout.LogReplica), layout.Sealed(id), nil); err != nil {
		return err
	}
	if r.Hard != nil {
		if err := layout.SetMessage(b, layout.LogStateKey(r.Shard, layout.LogHard), r.Hard); err != nil {
			return err
		}
	}
	if err := b.Set(layout.LogStateKey(r.Shard, layout.LogTruncated), layout.Sealed(layout.EncodePosition(r.Truncated)), nil); err != nil {
		return err
	}
	return layout.SetApplied(b, r.Shard, r.Applied)
}

// Destroy removes a replica with its log and state, and remembers its id as
// used, durably.
func (l *Log) Destroy(shard data.ShardID, id data.ReplicaID) error {
	used, err := l.used(shard)
	if err != nil {
		return err
	}
	b := l.db.NewBatch()
	defer b.Close()
	for _, r := range [][2][]byte{
		{layout.LogStateKey(shard, 0), layout.LogStateKey(shard, 0xff)},
		{layout.EntryKey(shard, 0), layout.EntryKey(shard, ^uint64(0))},
		{layout.AppendShard(nil, shard, 0), layout.AppendShard(nil, shard, 0xff)},
	} {
		if err := b.DeleteRange(r[0], r[1], nil); err != nil {
			return err
		}
	}
	generation := binary.BigEndian.AppendUint32(nil, max(used, id.Generation()))
	if err := b.Set(layout.LogStateKey(shard, layout.LogUsed), layout.Sealed(generation), nil); err != nil {
		return err
	}
	l.forget(shard)
	return l.state.Replace(shard, func() error { return l.db.Commit(b, pebble.Sync) })
}

// forget drops what is known of a shard's log in memory.
func (l *Log) forget(shard data.ShardID) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.last, shard)
	delete(l.gone, shard)
}

// NextReplica is the id of the next replica that a node makes of a shard: one
// that was never used.
func (l *Log) NextReplica(shard data.ShardID, node data.NodeID) (data.ReplicaID, error) {
	used, err := l.used(shard)
	if err != nil {
		return 0, err
	}
	return data.NewReplicaID(node, used+1), nil
}

// used is the highest generation that was destroyed here.
func (l *Log) used(shard data.ShardID) (uint32, error) {
	b, err := l.value(shard, layout.LogUsed)
	if errors.Is(err, data.ErrNoReplica) {
		return 0, nil
	}
	if err != nil || len(b) != 4 {
		return 0, fmt.Errorf("used generation of shard %d: %w", shard, errors.Join(err, lengthError(b, 4)))
	}
	return binary.BigEndian.Uint32(b), nil
}

// Restart begins a shard's log behind an installed state, with the hard state and entries
// of w, and removes the installation's marker, durably.
func (l *Log) Restart(w data.LogWrite, a data.Applied) error {
	b := l.db.NewBatch()
	defer b.Close()
	if err := b.DeleteRange(layout.EntryKey(w.Shard, 0), layout.EntryKey(w.Shard, ^uint64(0)), nil); err != nil {
		return err
	}
	l.setEnd(w.Shard, a.Index)
	if err := l.stageWrite(b, &w); err != nil {
		return err
	}
	if err := l.stageTruncation(b, w.Shard, a.Position); err != nil {
		return err
	}
	if err := layout.SetApplied(b, w.Shard, a); err != nil {
		return err
	}
	if err := b.Delete(layout.LogStateKey(w.Shard, layout.LogInstall), nil); err != nil {
		return err
	}
	return l.db.Commit(b, pebble.Sync)
}
