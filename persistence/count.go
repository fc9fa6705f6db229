package persistence

import (
	"encoding/binary"
	"fmt"
	"io"

	"github.com/cockroachdb/pebble/v2"

	"ssod/persistence/disk"
)

// Every batch writes its number and adds one to a count. If a batch in the
// middle is gone (an old log that was emptied, a table that the manifest has
// forgotten), the count is not the number of the last one.
var (
	sequenceKey = []byte("\x00sequence")
	countKey    = []byte("\x00count")
	one         = binary.BigEndian.AppendUint64(nil, 1)
)

// counter is Pebble's merge operation. Its name is part of the format.
var counter = &pebble.Merger{
	Name: "ssod.count",
	Merge: func(_, value []byte) (pebble.ValueMerger, error) {
		c := &count{}
		return c, c.MergeOlder(value)
	},
}

// count is a sum of 64-bit integers.
type count struct{ sum uint64 }

// MergeNewer implements pebble.ValueMerger.
func (c *count) MergeNewer(value []byte) error { return c.MergeOlder(value) }

// MergeOlder implements pebble.ValueMerger.
func (c *count) MergeOlder(value []byte) error {
	n, err := parseNumber(value)
	c.sum += n
	return err
}

// Finish implements pebble.ValueMerger.
func (c *count) Finish(bool) ([]byte, io.Closer, error) {
	return binary.BigEndian.AppendUint64(nil, c.sum), nil, nil
}

// parseNumber decodes a value of 64 bits; no value is 0.
func parseNumber(b []byte) (uint64, error) {
	switch len(b) {
	case 0:
		return 0, nil
	case 8:
		return binary.BigEndian.Uint64(b), nil
	}
	return 0, fmt.Errorf("%w: number of %d bytes", ErrDamaged, len(b))
}

func (s *Store) number(key []byte) (uint64, error) {
	b, err := s.get(key)
	if err != nil {
		return 0, err
	}
	return parseNumber(b)
}

// loadSequence reads the number of the last batch and checks that no batch is
// missing, neither in the middle nor, as far as the watermark tells, at the end.
func (s *Store) loadSequence() error {
	count, err := s.number(countKey)
	if err != nil {
		return err
	}
	sequence, err := s.number(sequenceKey)
	if err != nil {
		return err
	}
	s.sequence.Store(sequence)
	mark, certain, err := disk.OpenWatermark(s.dir)
	if err != nil {
		return err
	}
	s.mark = mark
	if count != sequence || sequence < certain {
		return fmt.Errorf("%w: changes are lost (%d batches, the last of them %d; %d was acknowledged)",
			ErrDamaged, count, sequence, certain)
	}
	s.durable.advance(sequence)
	return nil
}
