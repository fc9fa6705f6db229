package raftlog

import (
	"encoding/binary"
	"fmt"

	"github.com/cockroachdb/pebble/v2"
	pb "go.etcd.io/raft/v3/raftpb"
	"google.golang.org/protobuf/proto"

	"ssod/persistence/data"
	"ssod/persistence/layout"
)

// Recover gives replicas other ids, terms and members, with what else is staged, in one
// synced batch. It removes changes of the members from their logs, which must not come
// into force later.
func (l *Log) Recover(rs []data.Recovered, stage func(*pebble.Batch) error) error {
	b := l.db.NewBatch()
	err := stage(b)
	for i := 0; i < len(rs) && err == nil; i++ {
		if err = l.stageRecovered(b, &rs[i]); err != nil {
			err = fmt.Errorf("recover shard %d: %w", rs[i].Shard, err)
		}
	}
	if err != nil {
		b.Close()
		return err
	}
	number := l.next(true)
	if err := l.stageSequence(b, number); err != nil {
		l.db.Fail(err) // the number is taken
		b.Close()
		return err
	}
	w := &Write{log: l, batch: b, sequence: number}
	if err := l.db.Begin(b); err != nil {
		return err
	}
	return w.Wait()
}

func (l *Log) stageRecovered(b *pebble.Batch, r *data.Recovered) error {
	if r.Empty {
		if err := l.unused(r.Shard, r.ID); err != nil {
			return err
		}
		return l.stageReplica(b, data.NewReplica(r.Shard, r.ID, r.Conf))
	}
	old, err := l.Replica(r.Shard)
	if err != nil {
		return err
	}
	if old.ID.Node() != r.ID.Node() || old.ID.Generation() >= r.ID.Generation() || old.Hard.GetTerm() >= r.Term {
		return fmt.Errorf("%w: replica %v in term %d becomes %v in term %d", ErrReplicaID, old.ID, old.Hard.GetTerm(), r.ID, r.Term)
	}
	// The stored position, not that in memory: the batch must not advance the state.
	stored, err := layout.ReadApplied(l.db, r.Shard)
	if err != nil {
		return err
	}
	used := binary.BigEndian.AppendUint32(nil, old.ID.Generation())
	if err := b.Set(layout.LogStateKey(r.Shard, layout.LogUsed), layout.Sealed(used), nil); err != nil {
		return err
	}
	stored.Conf = r.Conf
	next := data.Replica{
		Shard: r.Shard, ID: r.ID, Truncated: old.Truncated, Applied: stored,
		Hard: &pb.HardState{Term: new(r.Term), Vote: new(uint64(0)), Commit: new(max(old.Hard.GetCommit(), stored.Index))},
	}
	if err := l.stageReplica(b, next); err != nil {
		return err
	}
	return l.stageWithoutChanges(b, old)
}

// stageWithoutChanges replaces entries that change the members of a group by empty ones.
func (l *Log) stageWithoutChanges(b *pebble.Batch, r data.Replica) error {
	return l.walk(r.Shard, r.Truncated.Index+1, ^uint64(0), func(raw []byte) (uint64, bool, error) {
		e := &pb.Entry{}
		if err := proto.Unmarshal(raw, e); err != nil {
			return 0, false, fmt.Errorf("%w: %w", data.ErrDamaged, err)
		}
		if e.GetType() == pb.EntryNormal {
			return e.GetIndex(), true, nil
		}
		void := &pb.Entry{Term: e.Term, Index: e.Index}
		return e.GetIndex(), true, layout.SetMessage(b, layout.EntryKey(r.Shard, e.GetIndex()), void)
	})
}
