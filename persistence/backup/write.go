package backup

import (
	"bufio"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"hash"
	"io"
	"time"

	"google.golang.org/protobuf/proto"

	"ssod/persistence/data"
)

// Version is the version of the format.
const Version = 1

// maxFrame bounds a frame in bytes: a value or a state, and its description.
const maxFrame = data.MaxCommit + 64<<10

// appendFrame appends a frame behind its length.
func appendFrame(b []byte, f *Frame) ([]byte, error) {
	b = binary.AppendUvarint(b, uint64(proto.Size(f)))
	b, err := proto.MarshalOptions{UseCachedSize: true}.MarshalAppend(b, f)
	if err != nil {
		return nil, fmt.Errorf("encode a frame: %w", err)
	}
	return b, nil
}

// Writer writes a backup. Its errors are those of what it writes to.
type Writer struct {
	w    *bufio.Writer
	room []byte
}

// NewWriter begins a backup.
func NewWriter(w io.Writer, h *Header) (*Writer, error) {
	out := &Writer{w: bufio.NewWriterSize(w, 256<<10)}
	h.Version = Version
	return out, out.frame(&Frame{Is: &Frame_Header{h}})
}

func (w *Writer) frame(f *Frame) (err error) {
	if w.room, err = appendFrame(w.room[:0], f); err == nil {
		_, err = w.w.Write(w.room)
	}
	return err
}

// Write adds bytes that [Shard] has made.
func (w *Writer) Write(b []byte) (int, error) { return w.w.Write(b) }

// End ends a backup that is complete.
func (w *Writer) End(at time.Time) error {
	if err := w.frame(&Frame{Is: &Frame_End{&End{EndedMs: at.UnixMilli()}}}); err != nil {
		return err
	}
	return w.w.Flush()
}

// Fail ends one that is not, and says why.
func (w *Writer) Fail(reason string) error {
	if err := w.frame(&Frame{Is: &Frame_Failure{&Failure{Reason: reason}}}); err != nil {
		return err
	}
	return w.w.Flush()
}

// Shard writes the frames of one shard.
type Shard struct {
	w    io.Writer
	room []byte
	sum  hash.Hash
	end  ShardEnd
}

// NewShard begins a shard.
func NewShard(w io.Writer, b *Begin) (*Shard, error) {
	s := &Shard{w: w, sum: sha256.New()}
	return s, s.frame(&Frame{Is: &Frame_Begin{b}})
}

// Entity adds an entity. What belongs to it follows.
func (s *Shard) Entity(e *Entity) error {
	s.end.Entities++
	return s.frame(&Frame{Is: &Frame_Entity{e}})
}

// Record adds a record of the entity before.
func (s *Shard) Record(r *Record) error {
	s.end.Records++
	return s.frame(&Frame{Is: &Frame_Record{r}})
}

// End ends the shard.
func (s *Shard) End() error {
	s.end.Sha256 = s.sum.Sum(nil)
	return s.write(&Frame{Is: &Frame_ShardEnd{&s.end}})
}

func (s *Shard) frame(f *Frame) error {
	if err := s.write(f); err != nil {
		return err
	}
	_, _ = s.sum.Write(s.room) // never fails
	return nil
}

func (s *Shard) write(f *Frame) (err error) {
	if s.room, err = appendFrame(s.room[:0], f); err == nil {
		_, err = s.w.Write(s.room)
	}
	return err
}
