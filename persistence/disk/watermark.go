package disk

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// watermarkLen is a batch number and its checksum.
const watermarkLen = 8 + 4

// Watermark is a file with the number of a batch that is certainly in the store. Pebble
// takes a log or manifest that ends early for one that a crash interrupted; the watermark
// detects that acknowledged changes are lost.
type Watermark struct {
	file    vfs.File
	written uint64
}

// OpenWatermark opens the file and returns its number, 0 when it is new or torn by a
// crash.
func OpenWatermark(d *Directory) (*Watermark, uint64, error) {
	b, err := d.Read("watermark")
	if err != nil {
		return nil, 0, err
	}
	if b == nil {
		if err := d.Write("watermark", make([]byte, watermarkLen)); err != nil {
			return nil, 0, err
		}
	}
	f, err := d.FS.OpenReadWrite(d.File("watermark"), vfs.WriteCategoryUnspecified)
	if err != nil {
		return nil, 0, err
	}
	n := parseWatermark(b)
	return &Watermark{file: f, written: n}, n, nil
}

func parseWatermark(b []byte) uint64 {
	if len(b) != watermarkLen || crc32.ChecksumIEEE(b[:8]) != binary.BigEndian.Uint32(b[8:]) {
		return 0
	}
	return binary.BigEndian.Uint64(b)
}

// Advance writes the number of a batch that is on disk. The record fits in one sector and
// is overwritten in place, which needs no space.
func (w *Watermark) Advance(batch uint64) error {
	if batch <= w.written {
		return nil
	}
	b := binary.BigEndian.AppendUint64(make([]byte, 0, watermarkLen), batch)
	b = binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b))
	if _, err := w.file.WriteAt(b, 0); err != nil {
		return fmt.Errorf("write watermark: %w", err)
	}
	if err := w.file.SyncData(); err != nil {
		return fmt.Errorf("write watermark: %w", err)
	}
	w.written = batch
	return nil
}

// Close closes the file.
func (w *Watermark) Close() error { return w.file.Close() }
