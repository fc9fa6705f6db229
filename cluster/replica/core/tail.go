package core

import (
	"fmt"

	pb "go.etcd.io/raft/v3/raftpb"

	"ssod/persistence"
)

// Tail is what the log of a stopped replica has beyond its stored state.
type Tail struct {
	// Last is the position of the last entry.
	Last Position
	// Time is the latest of the entries and the state, in milliseconds since 1970.
	Time uint64
	// Confs are the configurations that can be in force: that of the stored state, and
	// the one after each change in the log, committed or not.
	Confs []*pb.ConfState
}

// tailBytes bounds the entries that are read at a time.
const tailBytes = 1 << 20

// ReadTail reads the log of a stopped replica.
func ReadTail(log LogReader, r Replica) (Tail, error) {
	t := Tail{Last: r.Truncated, Time: r.Applied.Time, Confs: []*pb.ConfState{r.Applied.Conf}}
	if err := log.Scan(r.Shard, func(p Position, _ int) { t.Last = p }); err != nil {
		return t, err
	}
	for at := r.Applied.Index + 1; at <= t.Last.Index; {
		es, err := log.Entries(r.Shard, at, t.Last.Index+1, tailBytes)
		if err != nil {
			return t, err
		}
		for _, e := range es {
			if err := t.read(e); err != nil {
				return t, fmt.Errorf("%w: log of shard %d: entry %d: %w", persistence.ErrDamaged, r.Shard, e.GetIndex(), err)
			}
		}
		at += uint64(len(es))
	}
	return t, nil
}

func (t *Tail) read(e *pb.Entry) error {
	cc, is, err := decodeConfChange(e)
	if is && err == nil {
		var next *pb.ConfState
		next, err = nextConf(t.Confs[len(t.Confs)-1], cc)
		t.Confs = append(t.Confs, next)
	}
	if is || err != nil || len(e.GetData()) == 0 {
		return err
	}
	entry, err := DecodeEntry(e.GetData())
	if err == nil && entry.ProposerTerm == e.GetTerm() {
		t.Time = max(t.Time, entry.Time)
	}
	return err
}
