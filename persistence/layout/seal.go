package layout

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"

	"github.com/cockroachdb/pebble/v2"
	"google.golang.org/protobuf/proto"

	"ssod/persistence/data"
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Sealed puts a checksum before a value, which also finds damage that Pebble's own
// checksums cover up because it happened in memory.
func Sealed(v []byte) []byte {
	b := binary.BigEndian.AppendUint32(make([]byte, 0, len(v)+4), crc32.Checksum(v, castagnoli))
	return append(b, v...)
}

// Unsealed checks and removes the checksum. The result is part of b.
func Unsealed(b []byte) ([]byte, error) {
	if len(b) < 4 || binary.BigEndian.Uint32(b) != crc32.Checksum(b[4:], castagnoli) {
		return nil, fmt.Errorf("%w: wrong checksum", data.ErrDamaged)
	}
	return b[4:], nil
}

// SetMessage writes a sealed protobuf message, encoded in place.
func SetMessage(b *pebble.Batch, key []byte, m proto.Message) error {
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

// OpenMessage decodes a sealed protobuf message.
func OpenMessage(b []byte, m proto.Message) error {
	v, err := Unsealed(b)
	if err != nil {
		return err
	}
	if err := proto.Unmarshal(v, m); err != nil {
		return fmt.Errorf("%w: %w", data.ErrDamaged, err)
	}
	return nil
}

// Get returns a copy of the value of a key, nil if there is none.
func Get(r pebble.Reader, key []byte) ([]byte, error) {
	v, closer, err := r.Get(key)
	if errors.Is(err, pebble.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, Damaged(err)
	}
	return append([]byte{}, v...), closer.Close()
}

// Damaged marks a corruption error of Pebble as [data.ErrDamaged]; other errors pass.
func Damaged(err error) error {
	if err == nil || !pebble.IsCorruptionError(err) {
		return err
	}
	return fmt.Errorf("%w: %w", data.ErrDamaged, err)
}
