package layout

import (
	"encoding/binary"
	"fmt"
	"io"

	"github.com/cockroachdb/pebble/v2"

	"ssod/persistence/data"
)

// Every batch writes its number and adds one to a count. If a batch in the middle is lost
// (an emptied old log, a table that the manifest does not name), the count is not the
// number of the last one.
var (
	SequenceKey = []byte("\x00sequence")
	CountKey    = []byte("\x00count")
	One         = binary.BigEndian.AppendUint64(nil, 1)
)

// Counter is Pebble's merge operation. Its name is part of the format.
var Counter = &pebble.Merger{
	Name: "ssod.count",
	Merge: func(_, value []byte) (pebble.ValueMerger, error) {
		c := &count{}
		return c, c.MergeOlder(value)
	},
}

// count is a sum of 64-bit integers.
type count struct{ sum uint64 }

func (c *count) MergeNewer(value []byte) error { return c.MergeOlder(value) }

func (c *count) MergeOlder(value []byte) error {
	n, err := ParseNumber(value)
	c.sum += n
	return err
}

func (c *count) Finish(bool) ([]byte, io.Closer, error) {
	return binary.BigEndian.AppendUint64(nil, c.sum), nil, nil
}

// ParseNumber decodes a value of 64 bits; no value is 0.
func ParseNumber(b []byte) (uint64, error) {
	switch len(b) {
	case 0:
		return 0, nil
	case 8:
		return binary.BigEndian.Uint64(b), nil
	}
	return 0, fmt.Errorf("%w: number of %d bytes", data.ErrDamaged, len(b))
}
