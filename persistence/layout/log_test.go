package layout

import (
	"bytes"
	"errors"
	"testing"

	pb "go.etcd.io/raft/v3/raftpb"

	"ssod/persistence/data"
)

// FuzzLogState: whatever a value of the log state is, it is decoded or refused
// as damaged.
func FuzzLogState(f *testing.F) {
	p, err := ProgressOf(data.Applied{Position: data.Position{Index: 7, Term: 3}, Time: 9, Conf: &pb.ConfState{Voters: []uint64{1 << 32}}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(p.Append(nil))
	f.Add(Sealed(EncodePosition(data.Position{Index: 1, Term: 2})))
	f.Add([]byte{0, 0, 0, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		v, err := Unsealed(b)
		if err != nil {
			v = b // the decoders behind the checksum must stand anything too
		} else if !bytes.Equal(Sealed(v), b) {
			t.Errorf("%x has another seal", b)
		}
		if a, err := decodeApplied(v); err == nil {
			if _, err := ProgressOf(a); err != nil {
				t.Errorf("applied %+v: %v", a, err)
			}
		} else if !errors.Is(err, data.ErrDamaged) {
			t.Errorf("applied: %v", err)
		}
		if _, err := DecodePosition(v); err != nil && !errors.Is(err, data.ErrDamaged) {
			t.Errorf("position: %v", err)
		}
		if err := OpenMessage(b, &pb.Message{}); err != nil && !errors.Is(err, data.ErrDamaged) {
			t.Errorf("message: %v", err)
		}
	})
}
