package core

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"go.etcd.io/raft/v3"
	pb "go.etcd.io/raft/v3/raftpb"

	"ssod/persistence"
)

// log is what raft sees of a shard's stable log: the newest entries in memory, bounded
// by bytes, the terms of all, and the disk for the rest.
//
// It learns of an append when that is done. Until then raft keeps the entries in its
// own memory and asks here only for earlier ones, so the disk may be ahead of the log
// but agrees with it in what raft asks for.
type log struct {
	shard   ShardID
	disk    LogReader
	limit   int           // bytes of the tail
	hard    *pb.HardState // at the start
	applied Applied       // what a snapshot would hold
	runs    []Position    // where each term begins; the first is the truncated position
	last    uint64
	tail    []*pb.Entry // the newest entries, without a gap
	bytes   int         // of the tail
	marks   []mark
	total   int // bytes in the log since it was opened or reset
	written int // bytes appended since it was opened

	replay Replay // at the start
}

// Replay is what was in logs at the start and not in the state on disk. It is applied
// again once it is known to be committed.
type Replay struct {
	Entries, Bytes int
}

// mark remembers the total bytes of the log up to an index, so that truncation by bytes
// need not read entries.
type mark struct {
	Position
	total int
}

// markBytes is the spacing of marks.
const markBytes = 8 << 10

func openLog(r Replica, disk LogReader, limit int) (*log, error) {
	l := &log{shard: r.Shard, disk: disk, limit: limit, hard: r.Hard, applied: r.Applied}
	l.reset(r.Truncated)
	err := disk.Scan(r.Shard, func(p Position, size int) {
		l.extend(p, size)
		if p.Index > r.Applied.Index {
			l.replay.Entries++
			l.replay.Bytes += size
		}
	})
	if err != nil {
		return nil, fmt.Errorf("open log of shard %d: %w", r.Shard, err)
	}
	if at := r.Applied.Index; at < r.Truncated.Index || at > l.last {
		return nil, fmt.Errorf("open log of shard %d: %w: it has entries %d to %d, but the state is at %d",
			r.Shard, persistence.ErrDamaged, r.Truncated.Index+1, l.last, at)
	}
	return l, nil
}

// reset empties the log; it continues after p.
func (l *log) reset(p Position) {
	l.runs = []Position{p}
	l.last = p.Index
	l.tail, l.bytes = nil, 0
	l.marks, l.total = nil, 0
}

// extend notes that the entry at p is on disk.
func (l *log) extend(p Position, size int) {
	if l.runs[len(l.runs)-1].Term != p.Term {
		l.runs = append(l.runs, p)
	}
	l.last = p.Index
	l.total += size + entryOverhead
	if n := len(l.marks); n == 0 || l.total-l.marks[n-1].total >= markBytes {
		l.marks = append(l.marks, mark{p, l.total})
	}
}

// entryOverhead is about how many bytes an entry needs besides its data.
const entryOverhead = 32

// append notes that entries are on disk, instead of any that had their indexes.
func (l *log) append(entries []*pb.Entry) {
	if len(entries) == 0 {
		return
	}
	l.cut(entries[0].GetIndex())
	for _, e := range entries {
		l.extend(Position{Index: e.GetIndex(), Term: e.GetTerm()}, len(e.GetData()))
		l.tail = append(l.tail, e)
		l.bytes += len(e.GetData()) + entryOverhead
		l.written += len(e.GetData()) + entryOverhead
	}
	l.shrink()
}

// cut removes the entries from index on.
func (l *log) cut(index uint64) {
	if index > l.last {
		return
	}
	for len(l.runs) > 1 && l.runs[len(l.runs)-1].Index >= index {
		l.runs = l.runs[:len(l.runs)-1]
	}
	for len(l.marks) > 0 && l.marks[len(l.marks)-1].Index >= index {
		l.marks = l.marks[:len(l.marks)-1]
	}
	keep := len(l.tail)
	for keep > 0 && l.tail[keep-1].GetIndex() >= index {
		keep--
		l.bytes -= len(l.tail[keep].GetData()) + entryOverhead
	}
	l.tail = slices.Clone(l.tail[:keep]) // raft may hold the old one
	l.last = index - 1
}

// shrink drops the oldest entries of the tail until it is within its limit.
func (l *log) shrink() {
	n := 0
	for n < len(l.tail)-1 && l.bytes > l.limit {
		l.bytes -= len(l.tail[n].GetData()) + entryOverhead
		n++
	}
	if n > 0 {
		l.tail = slices.Clone(l.tail[n:])
	}
}

// truncate forgets the entries up to p.
func (l *log) truncate(p Position) {
	l.runs = append([]Position{p}, slices.DeleteFunc(l.runs, func(r Position) bool { return r.Index <= p.Index })...)
	l.marks = slices.DeleteFunc(l.marks, func(m mark) bool { return m.Index <= p.Index })
	n := 0
	for n < len(l.tail) && l.tail[n].GetIndex() <= p.Index {
		l.bytes -= len(l.tail[n].GetData()) + entryOverhead
		n++
	}
	l.tail = slices.Clone(l.tail[n:])
}

// before returns the last mark up to index that leaves at least keep bytes in the log.
func (l *log) before(index uint64, keep int) (Position, bool) {
	for _, m := range slices.Backward(l.marks) {
		if m.Index <= index && l.total-m.total >= keep {
			return m.Position, true
		}
	}
	return Position{}, false
}

// frees is about how many bytes go with the entries up to a mark.
func (l *log) frees(p Position) int {
	for _, m := range l.marks {
		if m.Index == p.Index {
			return m.total - l.marks[0].total
		}
	}
	return 0
}

// after is about how many bytes follow an index; [math.MaxInt] if some of them were
// truncated.
func (l *log) after(index uint64) int {
	switch {
	case index < l.truncated().Index:
		return math.MaxInt
	case index >= l.last:
		return 0
	}
	n, found := slices.BinarySearchFunc(l.marks, index, func(m mark, index uint64) int { return cmp.Compare(m.Index, index) })
	if !found {
		n--
	}
	if n < 0 { // before the first mark
		return l.size() + markBytes
	}
	return l.total - l.marks[n].total
}

// size is about how many bytes the log has on disk.
func (l *log) size() int {
	if len(l.marks) == 0 {
		return 0
	}
	return l.total - l.marks[0].total
}

func (l *log) truncated() Position { return l.runs[0] }

// InitialState implements [raft.Storage].
func (l *log) InitialState() (*pb.HardState, *pb.ConfState, error) {
	return l.hard, l.applied.Conf, nil
}

// Entries implements [raft.Storage].
func (l *log) Entries(lo, hi, limit uint64) ([]*pb.Entry, error) {
	if lo <= l.truncated().Index {
		return nil, raft.ErrCompacted
	}
	if hi > l.last+1 {
		return nil, raft.ErrUnavailable
	}
	if len(l.tail) == 0 || lo < l.tail[0].GetIndex() {
		return l.disk.Entries(l.shard, lo, hi, limit)
	}
	first := l.tail[0].GetIndex()
	es := l.tail[lo-first : hi-first]
	var size uint64
	for n, e := range es {
		size += uint64(len(e.GetData())) + entryOverhead
		if n > 0 && size > limit {
			es = es[:n]
			break
		}
	}
	return es[:len(es):len(es)], nil
}

// Term implements [raft.Storage].
func (l *log) Term(i uint64) (uint64, error) {
	if i < l.truncated().Index {
		return 0, raft.ErrCompacted
	}
	if i > l.last {
		return 0, raft.ErrUnavailable
	}
	n, found := slices.BinarySearchFunc(l.runs, i, func(p Position, i uint64) int { return cmp.Compare(p.Index, i) })
	if !found {
		n--
	}
	return l.runs[n].Term, nil
}

// LastIndex implements [raft.Storage].
func (l *log) LastIndex() (uint64, error) { return l.last, nil }

// FirstIndex implements [raft.Storage].
func (l *log) FirstIndex() (uint64, error) { return l.truncated().Index + 1, nil }

// Snapshot implements [raft.Storage]. The message is only a placeholder until
// [SnapshotSend.Fill].
func (l *log) Snapshot() (*pb.Snapshot, error) {
	if l.applied.Index == 0 {
		return nil, raft.ErrSnapshotTemporarilyUnavailable
	}
	return &pb.Snapshot{Metadata: &pb.SnapshotMetadata{
		Index: new(l.applied.Index), Term: new(l.applied.Term), ConfState: l.applied.Conf,
	}}, nil
}
