package persistence

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/cockroachdb/pebble/v2"
	pb "go.etcd.io/raft/v3/raftpb"
	"google.golang.org/protobuf/proto"

	"ssod/persistence/data"
)

// Errors of replicas.
var (
	// ErrNoReplica: the store has no replica of the shard.
	ErrNoReplica = data.ErrNoReplica
	// ErrReplicaID: the replica id was used before, or there is a replica.
	ErrReplicaID = errors.New("the replica id was used before")
)

// Replicas returns the replicas that the store holds, by shard.
func (l *Log) Replicas() ([]Replica, error) {
	it, err := l.s.db.NewIter(&pebble.IterOptions{LowerBound: []byte{spaceLogState}, UpperBound: []byte{spaceLogState + 1}})
	if err != nil {
		return nil, damaged(err)
	}
	var shards []ShardID
	for it.First(); it.Valid(); it.Next() {
		if k := it.Key(); len(k) == 4 && k[3] == logReplica {
			shards = append(shards, ShardID(binary.BigEndian.Uint16(k[1:])))
		}
	}
	if err := damaged(errors.Join(it.Error(), it.Close())); err != nil {
		return nil, err
	}
	var rs []Replica
	for _, shard := range shards {
		if err := l.redoInstall(shard); err != nil {
			return nil, err
		}
		r, err := l.replica(shard)
		if err != nil {
			return nil, err
		}
		rs = append(rs, r)
	}
	return rs, nil
}

// replica reads what the store has of a shard's replica.
func (l *Log) replica(shard ShardID) (r Replica, err error) {
	r.Shard = shard
	fail := func(what string, err error) (Replica, error) {
		return Replica{}, fmt.Errorf("%s of shard %d: %w", what, shard, err)
	}
	id, err := l.state(shard, logReplica)
	if err != nil || len(id) != 8 {
		return fail("replica id", errors.Join(err, lengthError(id, 8)))
	}
	r.ID = ReplicaID(binary.BigEndian.Uint64(id))
	if b, err := l.s.get(logStateKey(shard, logHard)); err != nil {
		return fail("hard state", err)
	} else if b != nil {
		r.Hard = &pb.HardState{}
		if err := openMessage(b, r.Hard); err != nil {
			return fail("hard state", err)
		}
	}
	b, err := l.state(shard, logTruncated)
	if err == nil {
		r.Truncated, err = decodePosition(b)
	}
	if err != nil {
		return fail("truncated position", err)
	}
	if r.Applied, err = appliedIn(l.s.db, shard); err != nil {
		return fail("applied position", err)
	}
	if r.Applied.Index < r.Truncated.Index {
		return fail("log", fmt.Errorf("%w: it begins behind %d, but the state is at %d", ErrDamaged, r.Truncated.Index, r.Applied.Index))
	}
	if sh := l.s.shard(shard); sh != nil {
		sh.mu.RLock()
		defer sh.mu.RUnlock()
		if sh.done.Index > r.Applied.Index {
			r.Applied = sh.done.Applied
		}
	}
	return r, nil
}

func lengthError(b []byte, n int) error {
	if b == nil || len(b) == n {
		return nil
	}
	return fmt.Errorf("%w: %d bytes", ErrDamaged, len(b))
}

// state reads a sealed value of a shard's log state. One that is missing is an
// [ErrNoReplica].
func (l *Log) state(shard ShardID, what byte) ([]byte, error) {
	b, err := l.s.get(logStateKey(shard, what))
	if err != nil {
		return nil, err
	}
	if b == nil {
		return nil, ErrNoReplica
	}
	return unsealed(b)
}

// decodeApplied decodes what [appendProgress] made, unsealed.
func decodeApplied(b []byte) (Applied, error) {
	if len(b) < 24 {
		return Applied{}, fmt.Errorf("%w: applied position of %d bytes", ErrDamaged, len(b))
	}
	p, err := decodePosition(b[:16])
	if err != nil {
		return Applied{}, err
	}
	a := Applied{Position: p, Time: binary.BigEndian.Uint64(b[16:]), Conf: &pb.ConfState{}}
	if err := proto.Unmarshal(b[24:], a.Conf); err != nil {
		return Applied{}, fmt.Errorf("%w: configuration: %w", ErrDamaged, err)
	}
	return a, nil
}

// Create makes the replica that [NewReplica] describes, durably.
func (l *Log) Create(shard ShardID, id ReplicaID, conf *pb.ConfState) (Replica, error) {
	rs, err := l.CreateAll([]ShardID{shard}, id, conf)
	if err != nil {
		return Replica{}, err
	}
	return rs[0], nil
}

// CreateAll is Create for several shards: all or none are made, with one sync.
func (l *Log) CreateAll(shards []ShardID, id ReplicaID, conf *pb.ConfState) ([]Replica, error) {
	b := l.s.db.NewBatch()
	defer b.Close()
	rs := make([]Replica, len(shards))
	for i, shard := range shards {
		if err := l.unused(shard, id); err != nil {
			return nil, fmt.Errorf("create replica %v of shard %d: %w", id, shard, err)
		}
		rs[i] = NewReplica(shard, id, conf)
		if err := l.stageReplica(b, rs[i]); err != nil {
			return nil, err
		}
	}
	if err := l.s.commit(b, pebble.Sync); err != nil {
		return nil, err
	}
	for _, r := range rs {
		l.setEnd(r.Shard, r.Truncated.Index)
		if err := l.s.reload(r.Shard); err != nil {
			return nil, err
		}
	}
	return rs, nil
}

// unused refuses an id that was used before, and any while there is a replica.
func (l *Log) unused(shard ShardID, id ReplicaID) error {
	used, err := l.used(shard)
	if err != nil {
		return err
	}
	there, err := l.s.get(logStateKey(shard, logReplica))
	if err == nil && (there != nil || id.Generation() <= used) {
		err = ErrReplicaID
	}
	return err
}

func (l *Log) stageReplica(b *pebble.Batch, r Replica) error {
	id := binary.BigEndian.AppendUint64(nil, uint64(r.ID))
	if err := b.Set(logStateKey(r.Shard, logReplica), sealed(id), nil); err != nil {
		return err
	}
	if r.Hard != nil {
		if err := setMessage(b, logStateKey(r.Shard, logHard), r.Hard); err != nil {
			return err
		}
	}
	if err := b.Set(logStateKey(r.Shard, logTruncated), sealed(encodePosition(r.Truncated)), nil); err != nil {
		return err
	}
	return stageApplied(b, r.Shard, r.Applied)
}

func stageApplied(b *pebble.Batch, shard ShardID, a Applied) error {
	p, err := progressOf(a)
	if err != nil {
		return err
	}
	return b.Set(logStateKey(shard, logApplied), appendProgress(nil, &p), nil)
}

// Destroy removes a replica with its log and state, and remembers its id as
// used, durably.
func (l *Log) Destroy(shard ShardID, id ReplicaID) error {
	used, err := l.used(shard)
	if err != nil {
		return err
	}
	b := l.s.db.NewBatch()
	defer b.Close()
	for _, r := range [][2][]byte{
		{logStateKey(shard, 0), logStateKey(shard, 0xff)},
		{entryKey(shard, 0), entryKey(shard, ^uint64(0))},
		{appendShard(nil, shard, 0), appendShard(nil, shard, 0xff)},
	} {
		if err := b.DeleteRange(r[0], r[1], nil); err != nil {
			return err
		}
	}
	generation := binary.BigEndian.AppendUint32(nil, max(used, id.Generation()))
	if err := b.Set(logStateKey(shard, logUsed), sealed(generation), nil); err != nil {
		return err
	}
	l.forget(shard)
	return l.s.replace(shard, func() error { return l.s.commit(b, pebble.Sync) })
}

// forget drops what is known of a shard's log in memory.
func (l *Log) forget(shard ShardID) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.last, shard)
	delete(l.gone, shard)
}

// NextReplica is the id of the next replica that a node makes of a shard: one
// that was never used.
func (l *Log) NextReplica(shard ShardID, node NodeID) (ReplicaID, error) {
	used, err := l.used(shard)
	if err != nil {
		return 0, err
	}
	return NewReplicaID(node, used+1), nil
}

// used is the highest generation that was destroyed here.
func (l *Log) used(shard ShardID) (uint32, error) {
	b, err := l.state(shard, logUsed)
	if errors.Is(err, ErrNoReplica) {
		return 0, nil
	}
	if err != nil || len(b) != 4 {
		return 0, fmt.Errorf("used generation of shard %d: %w", shard, errors.Join(err, lengthError(b, 4)))
	}
	return binary.BigEndian.Uint32(b), nil
}
