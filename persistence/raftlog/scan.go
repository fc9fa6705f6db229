package raftlog

import (
	"fmt"

	"github.com/cockroachdb/pebble/v2"
	pb "go.etcd.io/raft/v3/raftpb"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"ssod/persistence/data"
	"ssod/persistence/layout"
)

// Entries returns the entries from lo up to hi, fewer when they are longer than
// limit bytes together, and at least one.
func (l *Log) Entries(shard data.ShardID, lo, hi, limit uint64) ([]*pb.Entry, error) {
	var es []*pb.Entry
	var size uint64
	err := l.walk(shard, lo, hi, func(b []byte) (index uint64, more bool, err error) {
		e := &pb.Entry{}
		if err := proto.Unmarshal(b, e); err != nil {
			return 0, false, fmt.Errorf("%w: %w", data.ErrDamaged, err)
		}
		size += uint64(len(b))
		if len(es) > 0 && size > limit {
			return e.GetIndex(), false, nil
		}
		es = append(es, e)
		return e.GetIndex(), true, nil
	})
	if err == nil && len(es) == 0 {
		err = fmt.Errorf("%w: log of shard %d: entry %d is missing", data.ErrDamaged, shard, lo)
	}
	return es, err
}

// Scan calls f for each entry of a shard's log with the size of its data, in
// order. A damaged or missing entry is an [data.ErrDamaged] that names it.
func (l *Log) Scan(shard data.ShardID, f func(p data.Position, size int)) error {
	r, err := l.Replica(shard)
	if err != nil {
		return err
	}
	last := r.Truncated.Index
	err = l.walk(shard, last+1, ^uint64(0), func(b []byte) (index uint64, more bool, err error) {
		p, size, err := entryHead(b)
		if err == nil && p.Index == last+1 { // else walk says what is missing
			last = p.Index
			f(p, size)
		}
		return p.Index, true, err
	})
	if err == nil && last < r.Applied.Index {
		err = fmt.Errorf("%w: log of shard %d: it ends at %d, but the state is at %d", data.ErrDamaged, shard, last, r.Applied.Index)
	}
	l.setEnd(shard, last)
	return err
}

// entryHead reads the position and data size of an encoded entry without copying: at a
// start all entries are read.
func entryHead(b []byte) (p data.Position, size int, err error) {
	const term, index, payload = 2, 3, 4 // fields of raftpb.Entry
	for len(b) > 0 {
		field, kind, n := protowire.ConsumeField(b)
		if n < 0 {
			return data.Position{}, 0, fmt.Errorf("%w: %w", data.ErrDamaged, protowire.ParseError(n))
		}
		_, _, tag := protowire.ConsumeTag(b)
		switch value := b[tag:n]; {
		case field == term && kind == protowire.VarintType:
			p.Term, _ = protowire.ConsumeVarint(value)
		case field == index && kind == protowire.VarintType:
			p.Index, _ = protowire.ConsumeVarint(value)
		case field == payload && kind == protowire.BytesType:
			all, _ := protowire.ConsumeBytes(value)
			size = len(all)
		}
		b = b[n:]
	}
	return p, size, nil
}

// walk calls f for the encoded entries from lo up to hi, until f wants no more. f returns
// the entry's index: a missing entry is an error.
func (l *Log) walk(shard data.ShardID, lo, hi uint64, f func(b []byte) (index uint64, more bool, err error)) error {
	it, err := l.db.NewIter(&pebble.IterOptions{LowerBound: layout.EntryKey(shard, lo), UpperBound: layout.EntryKey(shard, hi)})
	if err != nil {
		return layout.Damaged(err)
	}
	defer it.Close()
	for it.First(); it.Valid(); it.Next() {
		v, err := it.ValueAndErr()
		if err != nil {
			return layout.Damaged(err)
		}
		b, err := layout.Unsealed(v)
		if err != nil {
			return fmt.Errorf("log of shard %d: entry %d: %w", shard, lo, err)
		}
		index, more, err := f(b)
		if err != nil {
			return fmt.Errorf("log of shard %d: entry %d: %w", shard, lo, err)
		}
		if index != lo || string(it.Key()) != string(layout.EntryKey(shard, lo)) {
			return fmt.Errorf("%w: log of shard %d: entry %d is missing", data.ErrDamaged, shard, lo)
		}
		if !more {
			return nil
		}
		lo++
	}
	return layout.Damaged(it.Error())
}
