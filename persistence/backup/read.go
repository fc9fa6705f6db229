package backup

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"io"
	"time"

	"google.golang.org/protobuf/proto"
)

// Reader reads a backup and checks it on the way: frames in their order, every shard
// once and the meta shard last, each as its checksum says.
type Reader struct {
	r      *bufio.Reader
	header *Header
	room   []byte
	at     position
	failed error

	shard    uint32 // of the last Begin
	begun    bool   // there was one
	sum      hash.Hash
	entities uint64
	records  uint64
	Seen     Totals
}

// Totals count what was read so far.
type Totals struct {
	Shards, Entities, Records, Bytes uint64
}

// position is where a reader is in the stream.
type position int

const (
	between position = iota // two shards
	inside                  // a shard
	behind                  // the end
)

// NewReader reads the header of a backup.
func NewReader(r io.Reader) (*Reader, error) {
	in := &Reader{r: bufio.NewReaderSize(r, 256<<10), sum: sha256.New()}
	f, err := in.frame()
	if err != nil {
		return nil, err
	}
	if failure := f.GetFailure(); failure != nil {
		return nil, failed(failure)
	}
	if in.header = f.GetHeader(); in.header == nil {
		return nil, fmt.Errorf("%w: it has no header", ErrDamaged)
	}
	if in.header.Version != Version {
		return nil, fmt.Errorf("%w: version %d, this program knows %d", ErrVersion, in.header.Version, Version)
	}
	return in, nil
}

// NewMetaReader reads the meta shard alone, as written by [Shard].
func NewMetaReader(r io.Reader) (*Reader, error) {
	var before, behind bytes.Buffer
	w, err := NewWriter(&before, &Header{})
	if err == nil {
		err = w.w.Flush()
	}
	if err == nil {
		err = (&Writer{w: bufio.NewWriter(&behind)}).End(time.UnixMilli(0))
	}
	if err != nil {
		return nil, err
	}
	return NewReader(io.MultiReader(&before, r, &behind))
}

// Header describes the backup.
func (r *Reader) Header() *Header { return r.header }

// Shard is the shard of the last frame.
func (r *Reader) Shard() uint32 { return r.shard }

// Next returns the next [Begin], [Entity], [Record] or [ShardEnd], and [io.EOF] at the end
// of a complete backup. It fails with [ErrDamaged], [ErrIncomplete], [ErrFailed], or an
// error of its source. The frame is not reused.
func (r *Reader) Next() (*Frame, error) {
	if r.failed != nil {
		return nil, r.failed
	}
	f, err := r.frame()
	if err == nil {
		err = r.follow(f)
	}
	if err != nil {
		r.failed = err
		return nil, err
	}
	return f, nil
}

// follow checks that the frame is allowed here.
func (r *Reader) follow(f *Frame) error {
	switch is := f.GetIs().(type) {
	case *Frame_Begin:
		return r.begin(is.Begin)
	case *Frame_Entity:
		r.entities++
		return r.within()
	case *Frame_Record:
		if r.records++; r.entities == 0 {
			return fmt.Errorf("%w: a record of no entity", ErrDamaged)
		}
		return r.within()
	case *Frame_ShardEnd:
		return r.end(is.ShardEnd)
	case *Frame_End:
		return r.last()
	case *Frame_Failure:
		return failed(is.Failure)
	default:
		return fmt.Errorf("%w: an unknown frame", ErrDamaged)
	}
}

func failed(f *Failure) error {
	return fmt.Errorf("%w: %w: %s", ErrIncomplete, ErrFailed, f.GetReason())
}

// begin begins a shard: they come as 1, 2, ... and 0.
func (r *Reader) begin(b *Begin) error {
	next := r.shard + 1
	if r.shard == r.header.GetShards() {
		next = 0
	}
	if r.at != between || b.GetShard() != next || r.begun && r.shard == 0 {
		return fmt.Errorf("%w: shard %d instead of shard %d", ErrDamaged, b.GetShard(), next)
	}
	r.at, r.shard, r.begun, r.entities, r.records = inside, b.GetShard(), true, 0, 0
	r.sum.Reset()
	_, _ = r.sum.Write(r.room)
	return nil
}

func (r *Reader) within() error {
	if r.at != inside {
		return fmt.Errorf("%w: an entity of no shard", ErrDamaged)
	}
	_, _ = r.sum.Write(r.room)
	return nil
}

func (r *Reader) end(e *ShardEnd) error {
	if r.at != inside || e.GetEntities() != r.entities || e.GetRecords() != r.records || !bytes.Equal(e.GetSha256(), r.sum.Sum(nil)) {
		return fmt.Errorf("%w: shard %d does not match its checksum", ErrDamaged, r.shard)
	}
	r.at = between
	r.Seen.Shards++
	r.Seen.Entities += r.entities
	r.Seen.Records += r.records
	return nil
}

// last returns [io.EOF] if the backup is complete and nothing follows.
func (r *Reader) last() error {
	if r.at != between || !r.begun || r.shard != 0 {
		return fmt.Errorf("%w: it ends behind shard %d", ErrIncomplete, r.shard)
	}
	r.at = behind
	switch _, err := r.r.ReadByte(); {
	case err == nil:
		return fmt.Errorf("%w: something follows its end", ErrDamaged)
	case !errors.Is(err, io.EOF):
		return unread(err)
	}
	return io.EOF
}

// frame reads a frame. Its bytes, the length among them, are r.room until the next.
func (r *Reader) frame() (*Frame, error) {
	size, err := binary.ReadUvarint(r.r)
	if err != nil {
		return nil, unread(err)
	}
	if size > maxFrame {
		return nil, fmt.Errorf("%w: a frame of %d bytes", ErrDamaged, size)
	}
	r.room = binary.AppendUvarint(r.room[:0], size)
	length := len(r.room)
	if cap(r.room) < length+int(size) {
		r.room = append(make([]byte, 0, length+int(size)), r.room...)
	}
	r.room = r.room[:length+int(size)]
	if _, err := io.ReadFull(r.r, r.room[length:]); err != nil {
		return nil, unread(err)
	}
	r.Seen.Bytes += uint64(len(r.room))
	f := &Frame{}
	if err := proto.Unmarshal(r.room[length:], f); err != nil {
		return nil, fmt.Errorf("%w: a frame does not decode: %w", ErrDamaged, err)
	}
	return f, nil
}

// unread explains an error of reading.
func unread(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return ErrIncomplete
	}
	return err
}
