package transport

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"slices"
)

// kind says what a frame is.
type kind byte

const (
	kindGreeting kind = iota + 1
	kindRefusal
	kindRaft
	kindPing
	kindPong
	kindOffer
	kindGo
	kindChunk
	kindEnd
	kindDone
	kindRequest
	kindAnswer
	kindCopied
	kindReserve
)

// headerSize is the length of a frame's length.
const headerSize = 4

// step is how much of a long frame is read at a time, so that memory follows what has come
// and not what was announced.
const step = 1 << 20

// frameReader reads frames into one buffer.
type frameReader struct {
	r     *bufio.Reader
	limit int
	buf   []byte
}

func newFrameReader(r io.Reader, size, limit int) *frameReader {
	return &frameReader{r: bufio.NewReaderSize(r, size), limit: limit}
}

// next returns a frame. The payload is valid until the next call. The error is
// io.EOF when the stream ended between two frames.
func (f *frameReader) next() (kind, []byte, error) {
	header, err := f.r.Peek(headerSize)
	if err != nil {
		if err == io.EOF && len(header) > 0 {
			err = io.ErrUnexpectedEOF
		}
		return 0, nil, err
	}
	n := binary.BigEndian.Uint32(header)
	if n == 0 || uint64(n) > uint64(f.limit) {
		return 0, nil, fmt.Errorf("%w: %d bytes, the limit is %d", ErrFrame, n, f.limit)
	}
	_, _ = f.r.Discard(headerSize) // they are in the buffer
	if err := f.read(int(n)); err != nil {
		return 0, nil, err
	}
	return kind(f.buf[0]), f.buf[1:], nil
}

// read fills the buffer with n bytes.
func (f *frameReader) read(n int) error {
	if cap(f.buf) > 4*step && n <= step {
		f.buf = nil // one long frame must not be remembered for ever
	}
	f.buf = f.buf[:0]
	for len(f.buf) < n {
		have, more := len(f.buf), min(n-len(f.buf), step)
		f.buf = slices.Grow(f.buf, more)[:have+more]
		if _, err := io.ReadFull(f.r, f.buf[have:]); err != nil {
			if err == io.EOF {
				err = io.ErrUnexpectedEOF
			}
			return err
		}
	}
	return nil
}

// frameWriter writes frames into a buffer that flush sends.
type frameWriter struct {
	w       *bufio.Writer
	scratch [headerSize + 1]byte
}

func newFrameWriter(w io.Writer, size int) *frameWriter {
	return &frameWriter{w: bufio.NewWriterSize(w, size)}
}

// put writes a frame; more is the rest of its payload.
func (f *frameWriter) put(k kind, payload, more []byte) error {
	binary.BigEndian.PutUint32(f.scratch[:], uint32(1+len(payload)+len(more)))
	f.scratch[headerSize] = byte(k)
	if _, err := f.w.Write(f.scratch[:]); err != nil {
		return err
	}
	if _, err := f.w.Write(payload); err != nil {
		return err
	}
	_, err := f.w.Write(more)
	return err
}

func (f *frameWriter) flush() error { return f.w.Flush() }
