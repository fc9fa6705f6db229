package layout

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"

	"github.com/cockroachdb/pebble/v2"
	pb "go.etcd.io/raft/v3/raftpb"
	"google.golang.org/protobuf/proto"

	"ssod/persistence/data"
)

// Progress is how far a shard is, with its configuration as it is stored.
type Progress struct {
	data.Applied
	conf []byte
}

// ProgressOf encodes the configuration once for all.
func ProgressOf(a data.Applied) (Progress, error) {
	conf, err := proto.MarshalOptions{Deterministic: true}.Marshal(a.Conf)
	return Progress{a, conf}, err
}

// Append appends position, shard time and configuration, sealed.
func (p *Progress) Append(b []byte) []byte {
	n := len(b)
	b = append(b, 0, 0, 0, 0)
	b = binary.BigEndian.AppendUint64(b, p.Index)
	b = binary.BigEndian.AppendUint64(b, p.Term)
	b = binary.BigEndian.AppendUint64(b, p.Time)
	b = append(b, p.conf...)
	binary.BigEndian.PutUint32(b[n:], crc32.Checksum(b[n+4:], castagnoli))
	return b
}

// Set writes how far a shard is.
func (p *Progress) Set(b *pebble.Batch, shard data.ShardID) error {
	return b.Set(LogStateKey(shard, LogApplied), p.Append(nil), nil)
}

// SetApplied encodes and writes how far a shard is.
func SetApplied(b *pebble.Batch, shard data.ShardID, a data.Applied) error {
	p, err := ProgressOf(a)
	if err != nil {
		return err
	}
	return p.Set(b, shard)
}

// ReadApplied reads how far a shard is, [data.ErrNoReplica] without a replica.
func ReadApplied(r pebble.Reader, shard data.ShardID) (data.Applied, error) {
	b, err := Get(r, LogStateKey(shard, LogApplied))
	if err != nil {
		return data.Applied{}, err
	}
	if b == nil {
		return data.Applied{}, data.ErrNoReplica
	}
	if b, err = Unsealed(b); err != nil {
		return data.Applied{}, fmt.Errorf("applied position of shard %d: %w", shard, err)
	}
	return decodeApplied(b)
}

// decodeApplied decodes what [Progress.Append] made, unsealed.
func decodeApplied(b []byte) (data.Applied, error) {
	if len(b) < 24 {
		return data.Applied{}, fmt.Errorf("%w: applied position of %d bytes", data.ErrDamaged, len(b))
	}
	p, err := DecodePosition(b[:16])
	if err != nil {
		return data.Applied{}, err
	}
	a := data.Applied{Position: p, Time: binary.BigEndian.Uint64(b[16:]), Conf: &pb.ConfState{}}
	if err := proto.Unmarshal(b[24:], a.Conf); err != nil {
		return data.Applied{}, fmt.Errorf("%w: configuration: %w", data.ErrDamaged, err)
	}
	return a, nil
}

// ReadTime is the shard time that an installed table brought, 0 if there is none.
func ReadTime(r pebble.Reader, shard data.ShardID) (uint64, error) {
	b, err := Get(r, AppendShard(nil, shard, SubTime))
	if err != nil {
		return 0, err
	}
	time, err := ParseNumber(b)
	if err != nil {
		return 0, fmt.Errorf("shard time: %w", err)
	}
	return time, nil
}

// EncodePosition encodes a position in a log.
func EncodePosition(p data.Position) []byte {
	b := binary.BigEndian.AppendUint64(make([]byte, 0, 16), p.Index)
	return binary.BigEndian.AppendUint64(b, p.Term)
}

// DecodePosition is the inverse of [EncodePosition].
func DecodePosition(b []byte) (data.Position, error) {
	if len(b) != 16 {
		return data.Position{}, fmt.Errorf("%w: position of %d bytes", data.ErrDamaged, len(b))
	}
	return data.Position{Index: binary.BigEndian.Uint64(b), Term: binary.BigEndian.Uint64(b[8:])}, nil
}
