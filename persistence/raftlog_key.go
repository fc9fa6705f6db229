package persistence

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"

	"github.com/cockroachdb/pebble/v2"
	"google.golang.org/protobuf/proto"
)

// Spaces of the replication log.
const (
	spaceLogState = 0x01
	spaceEntry    = 0x02
)

// What a key of a shard's log state is about.
const (
	logHard      = 'h'
	logTruncated = 't'
	logApplied   = 'a' // position, shard time, configuration
	logReplica   = 'r' // replica id
	logInstall   = 'i' // marker of an installation
	logUsed      = 'x' // highest generation that was destroyed
)

func logStateKey(shard ShardID, what byte) []byte {
	return []byte{spaceLogState, byte(shard >> 8), byte(shard), what}
}

func entryKey(shard ShardID, index uint64) []byte {
	k := append(make([]byte, 0, 11), spaceEntry, byte(shard>>8), byte(shard))
	return binary.BigEndian.AppendUint64(k, index)
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// sealed puts a checksum before a value, so that damage is found where Pebble's
// own checksums do not look: between the memory of two processes' lives.
func sealed(v []byte) []byte {
	b := binary.BigEndian.AppendUint32(make([]byte, 0, len(v)+4), crc32.Checksum(v, castagnoli))
	return append(b, v...)
}

// unsealed checks and removes the checksum. The result is part of b.
func unsealed(b []byte) ([]byte, error) {
	if len(b) < 4 || binary.BigEndian.Uint32(b) != crc32.Checksum(b[4:], castagnoli) {
		return nil, fmt.Errorf("%w: wrong checksum", ErrDamaged)
	}
	return b[4:], nil
}

// setMessage writes a sealed protobuf message without copying it twice.
func setMessage(b *pebble.Batch, key []byte, m proto.Message) error {
	size := proto.Size(m)
	op := b.SetDeferred(len(key), size+4)
	copy(op.Key, key)
	v, err := proto.MarshalOptions{UseCachedSize: true}.MarshalAppend(op.Value[4:4], m)
	if err != nil {
		return err
	}
	if len(v) != size {
		return fmt.Errorf("message of %d bytes takes %d", size, len(v))
	}
	binary.BigEndian.PutUint32(op.Value, crc32.Checksum(v, castagnoli))
	return op.Finish()
}

func openMessage(b []byte, m proto.Message) error {
	v, err := unsealed(b)
	if err != nil {
		return err
	}
	if err := proto.Unmarshal(v, m); err != nil {
		return fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	return nil
}

func encodePosition(p Position) []byte {
	b := binary.BigEndian.AppendUint64(make([]byte, 0, 16), p.Index)
	return binary.BigEndian.AppendUint64(b, p.Term)
}

func decodePosition(b []byte) (Position, error) {
	if len(b) != 16 {
		return Position{}, fmt.Errorf("%w: position of %d bytes", ErrDamaged, len(b))
	}
	return Position{Index: binary.BigEndian.Uint64(b), Term: binary.BigEndian.Uint64(b[8:])}, nil
}
