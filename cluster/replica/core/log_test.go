package core

import (
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.etcd.io/raft/v3"
	pb "go.etcd.io/raft/v3/raftpb"
	"pgregory.net/rapid"
)

// fakeDisk is a log on disk that begins after first.
type fakeDisk struct {
	first   Position
	entries []*pb.Entry
}

func (d *fakeDisk) Entries(_ ShardID, lo, hi, _ uint64) ([]*pb.Entry, error) {
	return d.entries[lo-d.first.Index-1 : hi-d.first.Index-1], nil
}

func (d *fakeDisk) Scan(_ ShardID, f func(Position, int)) error {
	for _, e := range d.entries {
		f(Position{Index: e.GetIndex(), Term: e.GetTerm()}, len(e.GetData()))
	}
	return nil
}

func (d *fakeDisk) write(es []*pb.Entry) {
	d.entries = append(d.entries[:es[0].GetIndex()-d.first.Index-1:es[0].GetIndex()-d.first.Index-1], es...)
}

// TestLogIsLikeItsDisk appends, overwrites and truncates at random; whatever
// the tail in memory holds, raft sees what is on disk.
func TestLogIsLikeItsDisk(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		disk := &fakeDisk{first: Position{Index: 1, Term: 1}}
		l, err := openLog(Replica{Truncated: disk.first, Applied: Applied{Position: disk.first}}, disk, rapid.IntRange(0, 500).Draw(t, "tail"))
		if err != nil {
			t.Fatal(err)
		}
		truncated, term := disk.first, uint64(1)
		for range rapid.IntRange(1, 20).Draw(t, "steps") {
			if rapid.IntRange(0, 4).Draw(t, "what") == 0 && l.last > truncated.Index {
				at := rapid.Uint64Range(truncated.Index+1, l.last).Draw(t, "truncate")
				truncated = Position{Index: at, Term: disk.entries[at-2].GetTerm()}
				l.truncate(truncated)
			} else {
				es := drawEntries(t, truncated.Index, l.last, &term)
				disk.write(es)
				l.append(es)
			}
			compareLog(t, l, disk, truncated)
		}
		again, err := openLog(Replica{Truncated: disk.first, Applied: Applied{Position: disk.first}}, disk, 100)
		if err != nil {
			t.Fatal(err)
		}
		again.truncate(truncated)
		compareLog(t, again, disk, truncated)
	})
}

func drawEntries(t *rapid.T, truncated, last uint64, term *uint64) []*pb.Entry {
	first := rapid.Uint64Range(truncated+1, last+1).Draw(t, "first")
	*term += rapid.Uint64Range(0, 1).Draw(t, "term")
	var es []*pb.Entry
	for i := range rapid.Uint64Range(1, 5).Draw(t, "n") {
		data := make([]byte, rapid.IntRange(0, 100).Draw(t, "size"))
		es = append(es, &pb.Entry{Index: new(first + i), Term: new(*term), Data: data})
	}
	return es
}

func compareLog(t *rapid.T, l *log, d *fakeDisk, truncated Position) {
	first, _ := l.FirstIndex()
	last, _ := l.LastIndex()
	wantLast := d.first.Index + uint64(len(d.entries))
	if first != truncated.Index+1 || last != wantLast {
		t.Fatalf("log from %d to %d, want %d to %d", first, last, truncated.Index+1, wantLast)
	}
	for i := first; i <= last; i++ {
		es, err := l.Entries(i, last+1, 1<<30)
		if err != nil || len(es) == 0 || es[0] != d.entries[i-2] {
			t.Fatalf("entries from %d: %v %v", i, es, err)
		}
		if term, err := l.Term(i); err != nil || term != d.entries[i-2].GetTerm() {
			t.Fatalf("term of %d: got %d %v, want %d", i, term, err, d.entries[i-2].GetTerm())
		}
	}
	if term, err := l.Term(truncated.Index); term != truncated.Term || err != nil {
		t.Fatalf("term of the truncated entry: got %d %v, want %d", term, err, truncated.Term)
	}
	if _, err := l.Entries(truncated.Index, last+1, 1); !errors.Is(err, raft.ErrCompacted) {
		t.Fatalf("entries that are truncated: got %v", err)
	}
	if _, err := l.Term(last + 1); !errors.Is(err, raft.ErrUnavailable) {
		t.Fatalf("term after the end: got %v", err)
	}
	if l.bytes > l.limit && len(l.tail) > 1 {
		t.Fatalf("tail of %d bytes, limit %d", l.bytes, l.limit)
	}
}

func TestNextConfIsRafts(t *testing.T) {
	joint := &pb.ConfChangeV2{Changes: []*pb.ConfChangeSingle{
		{Type: pb.ConfChangeAddNode.Enum(), NodeId: new(uint64(4))},
		{Type: pb.ConfChangeRemoveNode.Enum(), NodeId: new(uint64(1))},
	}}
	cs, err := nextConf(&pb.ConfState{Voters: []uint64{1, 2, 3}, Learners: []uint64{4}}, joint)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff("[2 3 4] [1 2 3]", fmt.Sprint(cs.GetVoters(), cs.GetVotersOutgoing())); diff != "" {
		t.Errorf("joint (-want +got):\n%s", diff)
	}
	if _, err := nextConf(cs, joint); err == nil {
		t.Error("a second joint change is accepted")
	}
	if cs, err = nextConf(cs, &pb.ConfChangeV2{}); err != nil || fmt.Sprint(cs.GetVoters(), cs.GetVotersOutgoing()) != "[2 3 4] []" {
		t.Errorf("left: %v %v", cs, err)
	}
}
