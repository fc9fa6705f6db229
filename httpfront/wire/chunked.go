package wire

import "bytes"

// chunkReader takes a chunked body apart; RFC 9112, 7.1, without extensions
// and trailers, which no client of this API needs and some parsers disagree
// about.
type chunkReader struct {
	body []byte // what was decoded so far
	left int    // bytes of the current chunk still to come
	part chunkPart
}

type chunkPart uint8

const (
	chunkSize chunkPart = iota
	chunkData
	chunkEnd  // the line end after the data
	chunkLast // the line end after the last size
	chunkDone
)

// read decodes as much of b as is complete and returns the number of bytes
// used. It fails on a malformed chunk, and stops with more when the body grows
// over limit.
func (c *chunkReader) read(b []byte, limit int) (used int, err error) {
	for {
		n, err := c.step(b[used:], limit)
		if err != nil || n == 0 {
			return used, err
		}
		used += n
	}
}

// step decodes one part and returns how many bytes it used; 0: needs more, or
// done.
func (c *chunkReader) step(b []byte, limit int) (int, error) {
	switch c.part {
	case chunkSize:
		return c.size(b, limit)
	case chunkData:
		n := min(c.left, len(b))
		c.body = append(c.body, b[:n]...)
		if c.left -= n; c.left == 0 {
			c.part = chunkEnd
		}
		return n, nil
	case chunkEnd:
		return c.lineEnd(b, chunkSize)
	case chunkLast:
		return c.lineEnd(b, chunkDone)
	default:
		return 0, nil
	}
}

// maxSizeDigits bounds the chunk size; a body is far below 16^7.
const maxSizeDigits = 7

func (c *chunkReader) size(b []byte, limit int) (int, error) {
	end := bytes.IndexByte(b, '\r')
	if end < 0 && len(b) <= maxSizeDigits {
		return 0, nil
	}
	if end < 1 || end > maxSizeDigits {
		return 0, errChunk
	}
	if end+1 == len(b) {
		return 0, nil
	}
	n, ok := hexadecimal(b[:end])
	if !ok || b[end+1] != '\n' {
		return 0, errChunk
	}
	if len(c.body)+n > limit {
		return 0, errTooLarge
	}
	c.left, c.part = n, chunkData
	if n == 0 {
		c.part = chunkLast
	}
	return end + 2, nil
}

func (c *chunkReader) lineEnd(b []byte, next chunkPart) (int, error) {
	if len(b) > 0 && b[0] != '\r' || len(b) > 1 && b[1] != '\n' {
		return 0, errChunk
	}
	if len(b) < 2 {
		return 0, nil
	}
	c.part = next
	return 2, nil
}

func hexadecimal(b []byte) (n int, ok bool) {
	for _, c := range b {
		switch {
		case '0' <= c && c <= '9':
			n = 16*n + int(c-'0')
		case 'a' <= c|0x20 && c|0x20 <= 'f':
			n = 16*n + int(c|0x20-'a') + 10
		default:
			return 0, false
		}
	}
	return n, true
}
