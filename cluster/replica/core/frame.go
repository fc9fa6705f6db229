package core

import (
	"encoding/binary"
	"fmt"
	"iter"
	"math"
	"slices"

	pb "go.etcd.io/raft/v3/raftpb"
	"google.golang.org/protobuf/proto"
)

// frameVersion is the format of frames.
const frameVersion = 1

// MaxFrame bounds a frame in bytes.
const MaxFrame = 64 << 20

// fullFrame is how many bytes of messages a frame holds, if there are more; one
// message, which has [Config.MaxEntry] and an entry at most, may be longer.
const fullFrame = 4 << 20

// Frames yields a round's messages to one node in parts, for a frame each: when a
// follower of many shards is behind, what it misses is more than one may hold.
func Frames(es []Envelope) iter.Seq[[]Envelope] {
	return func(yield func([]Envelope) bool) {
		for size, from, i := 0, 0, 0; i < len(es); i++ {
			size += weight(es[i].Message)
			if i == len(es)-1 || size+weight(es[i+1].Message) > fullFrame {
				if !yield(es[from : i+1]) {
					return
				}
				size, from = 0, i+1
			}
		}
	}
}

// weight is about the length of a message in bytes.
func weight(m *pb.Message) (n int) {
	for _, e := range m.GetEntries() {
		n += 32 + len(e.GetData())
	}
	return 64 + n
}

// AppendFrame encodes a round's messages to one node:
//
//	version | (shard, length, message)*
//
// It must be called by the core's goroutine: raft's messages share memory.
func AppendFrame(b []byte, es []Envelope) ([]byte, error) {
	size := 1
	for _, e := range es {
		size += 2*binary.MaxVarintLen32 + proto.Size(e.Message)
	}
	b = append(slices.Grow(b, size), frameVersion)
	sized := proto.MarshalOptions{UseCachedSize: true}
	for _, e := range es {
		b = binary.AppendUvarint(b, uint64(e.Shard))
		b = binary.AppendUvarint(b, uint64(sized.Size(e.Message)))
		var err error
		if b, err = sized.MarshalAppend(b, e.Message); err != nil {
			return nil, fmt.Errorf("message of shard %d: %w", e.Shard, err)
		}
	}
	return b, nil
}

// DecodeFrame decodes a frame. The messages do not share b.
func DecodeFrame(b []byte) ([]Envelope, error) {
	if len(b) == 0 || len(b) > MaxFrame {
		return nil, fmt.Errorf("frame of %d bytes: %w", len(b), ErrEntryFormat)
	}
	if b[0] != frameVersion {
		return nil, fmt.Errorf("frame version %d: %w", b[0], ErrEntryVersion)
	}
	var es []Envelope
	for d := (decoder{rest: b[1:]}); len(d.rest) > 0 || d.bad; {
		shard := d.uvarint()
		data := d.take(d.uvarint())
		if d.bad || shard > math.MaxUint16 {
			return nil, fmt.Errorf("frame: %w", ErrEntryFormat)
		}
		m := &pb.Message{}
		if err := proto.Unmarshal(data, m); err != nil {
			return nil, fmt.Errorf("frame: message of shard %d: %w: %w", shard, ErrEntryFormat, err)
		}
		es = append(es, Envelope{ShardID(shard), m})
	}
	return es, nil
}
