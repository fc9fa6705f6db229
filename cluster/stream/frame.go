package stream

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
)

// Version is that of the frames.
const Version = 1

const (
	// MaxEnvelope bounds the payload of an envelope in bytes.
	MaxEnvelope = 300 << 10
	// maxFrame bounds what follows the length of a frame.
	maxFrame = 512 << 10
	// fullFrame is the length at which no further envelope is added to a frame. Frames
	// that fit into the read buffer are not copied.
	fullFrame = 16 << 10

	lengthSize = 4
	headSize   = lengthSize + 1 + 4 // with version and checksum
)

// Kind says what an envelope is.
type Kind byte

const (
	// Command asks something of an entity.
	Command Kind = iota + 1
	// Answer answers a command that came on the same link.
	Answer
	// Tell is a command that gets no answer.
	Tell

	ping    // is answered at once
	pong    // with an empty payload
	refusal // why the connection ends
	kinds   // all are below
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// batch are the frames that go out with one write.
type batch struct {
	b         []byte
	frame     int // where the open frame begins; there is one unless b is empty
	envelopes int
	payload   int // bytes of them
}

func (o *batch) add(k Kind, payload []byte) {
	if len(o.b) == 0 || len(o.b)-o.frame >= fullFrame {
		o.seal()
		o.frame = len(o.b)
		o.b = append(o.b, make([]byte, headSize)...)
	}
	o.b = binary.AppendUvarint(o.b, uint64(1+len(payload)))
	o.b = append(append(o.b, byte(k)), payload...)
	o.envelopes++
	o.payload += len(payload)
}

// seal ends the open frame.
func (o *batch) seal() {
	if len(o.b) == 0 {
		return
	}
	f := o.b[o.frame:]
	binary.BigEndian.PutUint32(f, uint32(len(f)-lengthSize))
	f[lengthSize] = Version
	binary.BigEndian.PutUint32(f[lengthSize+1:], crc32.Checksum(f[headSize:], castagnoli))
}

// reset empties the batch. A large buffer is not kept.
func (o *batch) reset() {
	if cap(o.b) > keptBuffer {
		o.b = nil
	}
	*o = batch{b: o.b[:0]}
}

// frameReader reads frames.
type frameReader struct {
	r    *bufio.Reader
	used int // bytes of the last frame, which are still in the buffer
}

// next returns the envelopes of a frame. They are valid until the next call. The
// error is io.EOF when the stream ended between two frames.
func (f *frameReader) next() ([]byte, error) {
	_, _ = f.r.Discard(f.used) // they are in the buffer
	f.used = 0
	head, err := f.r.Peek(headSize)
	if len(head) > lengthSize && head[lengthSize] != Version {
		return nil, fmt.Errorf("%w: %d, this node speaks %d", ErrVersion, head[lengthSize], Version)
	}
	if err != nil {
		return nil, cut(err, len(head))
	}
	n := int64(binary.BigEndian.Uint32(head))
	switch {
	case n > maxFrame:
		return nil, fmt.Errorf("%w: %d bytes, the limit is %d", ErrOversized, n, maxFrame)
	case n <= headSize-lengthSize:
		return nil, fmt.Errorf("%w: a frame of %d bytes", ErrEnvelope, n)
	}
	b, err := f.take(lengthSize + int(n))
	if err != nil {
		return nil, err
	}
	if sum := binary.BigEndian.Uint32(b[lengthSize+1:]); sum != crc32.Checksum(b[headSize:], castagnoli) {
		return nil, ErrChecksum
	}
	return b[headSize:], nil
}

// take returns n bytes, in the buffer if they fit into it.
func (f *frameReader) take(n int) ([]byte, error) {
	if n <= f.r.Size() {
		b, err := f.r.Peek(n)
		f.used = len(b)
		return b, cut(err, len(b))
	}
	b := make([]byte, n) // at most maxFrame, for a node that has shown its papers
	got, err := io.ReadFull(f.r, b)
	return b, cut(err, got)
}

// cut distinguishes an end in the middle of a frame, of which some bytes came, from one
// between two frames.
func cut(err error, came int) error {
	if came > 0 && (err == io.EOF || errors.Is(err, io.ErrUnexpectedEOF)) {
		return fmt.Errorf("%w after %d bytes", ErrTruncated, came)
	}
	return err
}

// open calls f for the envelopes in a frame.
func open(frame []byte, f func(k Kind, payload []byte) error) error {
	for len(frame) > 0 {
		n, width := binary.Uvarint(frame)
		switch {
		case width <= 0 || n == 0 || n > uint64(len(frame)-width):
			return fmt.Errorf("%w: %d bytes of %d", ErrEnvelope, n, len(frame))
		case n > 1+MaxEnvelope:
			return fmt.Errorf("%w: an envelope of %d bytes", ErrOversized, n)
		}
		k, payload := Kind(frame[width]), frame[width+1:width+int(n)]
		if k == 0 || k >= kinds {
			return fmt.Errorf("%w: %d", ErrKind, k)
		}
		if err := f(k, payload); err != nil {
			return err
		}
		frame = frame[width+int(n):]
	}
	return nil
}
