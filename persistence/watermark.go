package persistence

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// watermarkLen is a batch number and its checksum.
const watermarkLen = 8 + 4

// watermark is a file with the number of a batch that is certainly in the
// store. Pebble takes a log or manifest that ends early for one that was being
// written in a crash; the watermark tells that acknowledged changes are gone.
type watermark struct {
	file    vfs.File
	written uint64
}

// openWatermark opens the file and returns the number in it, 0 when it is new
// or was torn by a crash.
func openWatermark(d *directory) (*watermark, uint64, error) {
	b, err := d.read("watermark")
	if err != nil {
		return nil, 0, err
	}
	if b == nil {
		if err := d.write("watermark", make([]byte, watermarkLen)); err != nil {
			return nil, 0, err
		}
	}
	f, err := d.fs.OpenReadWrite(d.file("watermark"), vfs.WriteCategoryUnspecified)
	if err != nil {
		return nil, 0, err
	}
	n := parseWatermark(b)
	return &watermark{file: f, written: n}, n, nil
}

func parseWatermark(b []byte) uint64 {
	if len(b) != watermarkLen || crc32.ChecksumIEEE(b[:8]) != binary.BigEndian.Uint32(b[8:]) {
		return 0
	}
	return binary.BigEndian.Uint64(b)
}

// advance writes the number of a batch that is on disk. The record lies in one
// sector and is overwritten in place, which needs no space.
func (w *watermark) advance(batch uint64) error {
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

func (w *watermark) close() error { return w.file.Close() }

// watch looks after the disk until the store is closed.
func (s *Store) watch() {
	tick := time.NewTicker(s.opts.CheckEvery)
	defer tick.Stop()
	s.disk.makeBallast()
	for {
		select {
		case <-s.stop:
			return
		case <-tick.C:
		}
		s.disk.look()
		s.disk.makeBallast()
		s.noteAge()
		if err := s.mark.advance(s.durable.batch.Load()); err != nil {
			s.opts.Logger.Warn("store: lost tails may go unnoticed", "error", err)
		}
	}
}
