package persistence

import (
	"bytes"
	"errors"
	"testing"

	pb "go.etcd.io/raft/v3/raftpb"
	"google.golang.org/protobuf/proto"
)

// FuzzEntryHead: what a scan reads of an entry is what it says when it is decoded.
func FuzzEntryHead(f *testing.F) {
	for _, e := range []*pb.Entry{
		{Index: new(uint64(1 << 40)), Term: new(uint64(3)), Data: []byte("data")},
		{Type: pb.EntryConfChangeV2.Enum(), Index: new(uint64(7))},
		{},
	} {
		b, err := proto.Marshal(e)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		p, size, err := entryHead(b)
		if err != nil && !errors.Is(err, ErrDamaged) {
			t.Errorf("error: %v", err)
		}
		var e pb.Entry
		if proto.Unmarshal(b, &e) != nil {
			return
		}
		if want := (Position{Index: e.GetIndex(), Term: e.GetTerm()}); err != nil || p != want || size != len(e.GetData()) {
			t.Errorf("got %v and %d bytes, %v; want %v and %d", p, size, err, want, len(e.GetData()))
		}
	})
}

// FuzzLogState: whatever a value of the log state is, it is decoded or refused
// as damaged.
func FuzzLogState(f *testing.F) {
	p, err := progressOf(Applied{Position: Position{Index: 7, Term: 3}, Time: 9, Conf: voters})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(appendProgress(nil, &p))
	f.Add(sealed(encodePosition(Position{Index: 1, Term: 2})))
	f.Add([]byte{0, 0, 0, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		v, err := unsealed(b)
		if err != nil {
			v = b // the decoders behind the checksum must stand anything too
		} else if !bytes.Equal(sealed(v), b) {
			t.Errorf("%x has another seal", b)
		}
		if a, err := decodeApplied(v); err == nil {
			if _, err := progressOf(a); err != nil {
				t.Errorf("applied %+v: %v", a, err)
			}
		} else if !errors.Is(err, ErrDamaged) {
			t.Errorf("applied: %v", err)
		}
		if _, err := decodePosition(v); err != nil && !errors.Is(err, ErrDamaged) {
			t.Errorf("position: %v", err)
		}
		for _, m := range []*pb.Message{{}} {
			if err := openMessage(b, m); err != nil && !errors.Is(err, ErrDamaged) {
				t.Errorf("message: %v", err)
			}
			_ = installOf(1, m)
		}
	})
}
