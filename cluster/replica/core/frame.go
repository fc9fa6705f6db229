package core

import (
	"encoding/binary"
	"errors"
	"fmt"
	"iter"
	"math"
	"slices"

	pb "go.etcd.io/raft/v3/raftpb"
	"google.golang.org/protobuf/proto"
)

// frameVersion is the format of frames. In version 1 every message was protobuf.
const frameVersion = 2

// ErrFrameVersion says that a frame has a format that this version does not read.
var ErrFrameVersion = errors.New("frame of another version")

// MaxFrame bounds a frame in bytes.
const MaxFrame = 64 << 20

// fullFrame bounds the bytes of messages in a frame of several; a single message, of at
// most [Config.MaxEntry] and one entry, may be longer.
const fullFrame = 4 << 20

// Frames splits a round's messages to one node into frames: what a follower of many
// shards lacks can be more than one may hold.
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
		n += 16 + len(e.GetData())
	}
	return 48 + n
}

// AppendFrame encodes a round's messages to one node:
//
//	version byte | count | (shard | form byte | message)*
//
// A message in protobuf is preceded by its length; wire.go has the other forms. It must
// be called by the core's goroutine: raft's messages share memory.
func AppendFrame(b []byte, es []Envelope) ([]byte, error) {
	size := 1 + binary.MaxVarintLen32
	for _, e := range es {
		size += weight(e.Message)
	}
	b = append(slices.Grow(b, size), frameVersion)
	b = binary.AppendUvarint(b, uint64(len(es)))
	for _, e := range es {
		b = binary.AppendUvarint(b, uint64(e.Shard))
		form := formOf(e.Message)
		b = append(b, form)
		if form != formProto {
			b = appendMessage(b, e.Message)
			continue
		}
		var err error
		if b, err = appendProto(b, e.Message); err != nil {
			return nil, fmt.Errorf("message of shard %d: %w", e.Shard, err)
		}
	}
	return b, nil
}

// MarkFrame gives a frame the format of the cluster's format level.
func MarkFrame(frame []byte, level int) { frame[0] = frameAt(level) }

func appendProto(b []byte, m *pb.Message) ([]byte, error) {
	sized := proto.MarshalOptions{UseCachedSize: true}
	b = binary.AppendUvarint(b, uint64(proto.Size(m)))
	return sized.MarshalAppend(b, m)
}

// DecodeFrame decodes a frame. The messages do not share b.
func DecodeFrame(b []byte) ([]Envelope, error) {
	if len(b) == 0 || len(b) > MaxFrame {
		return nil, fmt.Errorf("frame of %d bytes: %w", len(b), ErrEntryFormat)
	}
	if b[0] < frameVersion || b[0] > newestFrame {
		return nil, fmt.Errorf("frame version %d, want %d to %d: %w", b[0], frameVersion, newestFrame, ErrFrameVersion)
	}
	d := decoder{rest: b[1:]}
	n := d.count()
	es := make([]Envelope, 0, min(n, maxRoom))
	var all messages
	for i := uint64(0); i < n && !d.bad; i++ {
		shard, form := d.uvarint(), d.byte()
		if shard > math.MaxUint16 || form >= forms {
			d.fail()
			break
		}
		m, err := all.next(&d, form, n-i)
		if err != nil {
			return nil, fmt.Errorf("frame: message of shard %d: %w: %w", shard, ErrEntryFormat, err)
		}
		es = append(es, Envelope{ShardID(shard), m})
	}
	if err := d.end(); err != nil {
		return nil, fmt.Errorf("frame: %w", err)
	}
	return es, nil
}
