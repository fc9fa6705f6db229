package core

import (
	"encoding/binary"
	"fmt"
	"math"

	"ssod/persistence"
)

// fenceVersion is the format of frames of fences, which no other frame ever has.
const fenceVersion = 0x81

// AppendFences encodes a round's fences to one node:
//
//	version byte | (kind byte | number | count | (shard | term | generation)*)*
//
// A question has no generations, and kind 0; an answer has kind 1. The numbers are
// unsigned varints.
func AppendFences(b []byte, fs []Fence) []byte {
	b = append(b, fenceVersion)
	for i := range fs {
		f := &fs[i]
		var kind byte
		if f.Answer {
			kind = 1
		}
		b = append(b, kind)
		b = binary.AppendUvarint(b, f.Number)
		b = binary.AppendUvarint(b, uint64(len(f.Terms)))
		for _, t := range f.Terms {
			b = binary.AppendUvarint(b, uint64(t.Shard))
			b = binary.AppendUvarint(b, t.Term)
			if f.Answer {
				b = binary.AppendUvarint(b, uint64(t.Replica.Generation()))
			}
		}
	}
	return b
}

// HasFences reports whether a frame is for [DecodeFences], not for [DecodeFrame].
func HasFences(b []byte) bool { return len(b) > 0 && b[0] == fenceVersion }

// DecodeFences decodes a frame of a node's fences.
func DecodeFences(from NodeID, b []byte) ([]Fence, error) {
	if !HasFences(b) || len(b) > MaxFrame {
		return nil, fmt.Errorf("frame of %d bytes: %w", len(b), ErrEntryFormat)
	}
	d := decoder{rest: b[1:]}
	var fs []Fence
	for len(d.rest) > 0 {
		kind := d.byte()
		f := Fence{Answer: kind == 1, Number: d.uvarint()}
		n := d.count()
		f.Terms = make([]Followed, 0, min(n, maxRoom))
		for ; n > 0 && !d.bad; n-- {
			f.Terms = append(f.Terms, d.followed(from, f.Answer))
		}
		if kind > 1 {
			d.fail()
		}
		fs = append(fs, f)
	}
	if err := d.end(); err != nil {
		return nil, fmt.Errorf("frame of fences: %w", err)
	}
	return fs, nil
}

func (d *decoder) followed(from NodeID, answer bool) (t Followed) {
	shard := d.uvarint()
	if shard > math.MaxUint16 {
		d.fail()
	}
	t.Shard, t.Term = ShardID(shard), d.uvarint()
	if answer {
		t.Replica = persistence.NewReplicaID(from, d.uint32())
	}
	return t
}
