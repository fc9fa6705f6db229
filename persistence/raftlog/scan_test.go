package raftlog

import (
	"errors"
	"testing"

	pb "go.etcd.io/raft/v3/raftpb"
	"google.golang.org/protobuf/proto"

	"ssod/persistence/data"
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
		if err != nil && !errors.Is(err, data.ErrDamaged) {
			t.Errorf("error: %v", err)
		}
		var e pb.Entry
		if proto.Unmarshal(b, &e) != nil {
			return
		}
		if want := (data.Position{Index: e.GetIndex(), Term: e.GetTerm()}); err != nil || p != want || size != len(e.GetData()) {
			t.Errorf("got %v and %d bytes, %v; want %v and %d", p, size, err, want, len(e.GetData()))
		}
	})
}
