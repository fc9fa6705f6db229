package wire

import (
	"bytes"
	"errors"
	"io"
	"os"
	"syscall"
	"time"
)

// receive reads one request to its last byte. It fails with a [Refusal], or with
// the connection's error when there is nobody to answer.
func (c *Conn) receive() error {
	head, err := c.receiveHead()
	if err != nil {
		return err
	}
	r := &c.buf.request
	if err := parseHead(c.buf.in[:head], r); err != nil {
		return err
	}
	if len(r.Method)+len(r.Target) > maxLine {
		return errLine
	}
	err = c.receiveBody(r, head)
	if err == errTooLarge {
		r.TooLarge, r.Body = true, nil
		c.unread.Store(true)
		return nil
	}
	return err
}

// receiveHead reads up to the first empty line behind the request line and
// returns its end.
func (c *Conn) receiveHead() (end int, err error) {
	for seen := 0; ; {
		begun, err := c.skipBlankLines()
		if err != nil {
			return 0, err
		}
		if begun {
			end, seen, err = endOfHead(c.buf.in, seen)
			if err != nil || end > 0 && end <= c.limits.Head {
				return end, err
			}
			if end > 0 || len(c.buf.in) >= c.limits.Head {
				return 0, errHead
			}
		}
		if err := c.fill(); err != nil {
			return 0, err
		}
	}
}

// maxBlankLines is how many empty lines may stand in front of a request.
const maxBlankLines = 4

// skipBlankLines drops empty lines in front of a request, which some clients
// send behind a body without counting them (RFC 9112, 2.2). They belong to no
// message, so there is nothing in them to disagree about, but only as the two
// bytes that end a line, and a few. It reports whether the request itself has
// begun: blank lines alone hold no buffer, and no deadline waits for their sake.
func (c *Conn) skipBlankLines() (begun bool, err error) {
	if c.buf == nil {
		return false, nil
	}
	n := 0
	for bytes.HasPrefix(c.buf.in[n:], lineEnd) {
		n += len(lineEnd)
		if c.blankLines++; c.blankLines > maxBlankLines {
			return false, errBlankLines
		}
	}
	if n > 0 && !c.discard(n) {
		return false, nil
	}
	return len(c.buf.in) > 1 || c.buf.in[0] != '\r', nil
}

var lineEnd = []byte("\r\n")

// endOfHead looks for the empty line from seen on. It returns 0 and how far it
// has looked when there is none yet, and refuses a bare line feed as soon as
// it sees it: some parsers take it for the end of a line and some do not.
func endOfHead(b []byte, seen int) (end, looked int, err error) {
	if len(b) > 0 && !token[b[0]] {
		return 0, 0, errRequestLine
	}
	for {
		i := bytes.IndexByte(b[seen:], '\n')
		if i < 0 {
			return 0, len(b), nil
		}
		i += seen
		if b[i-1] != '\r' {
			return 0, 0, errLineFeed
		}
		if b[i-2] == '\n' {
			return i + 1, i + 1, nil
		}
		seen = i + 1
	}
}

func (c *Conn) receiveBody(r *Request, head int) error {
	if r.sent(TransferEncoding) {
		return c.receiveChunks(r, head)
	}
	n, ok := contentLength(r)
	if !ok {
		return errLength
	}
	if n > c.limits.Body {
		if !c.limits.Long.enter(r.Target, n) {
			return errTooLarge
		}
		c.long.Store(true)
	}
	if err := c.invite(r, head+n); err != nil {
		return err
	}
	for len(c.buf.in) < head+n {
		if err := c.fill(); err != nil {
			return err
		}
	}
	r.Body = c.buf.in[head : head+n]
	c.size = head + n
	return nil
}

func (c *Conn) receiveChunks(r *Request, head int) error {
	if err := c.invite(r, head+1); err != nil {
		return err
	}
	var chunks chunkReader
	for {
		used, err := chunks.read(c.buf.in[head:], c.limits.Body)
		if err != nil {
			return err
		}
		// What is decoded makes room, so that framing costs no memory.
		rest := copy(c.buf.in[head:], c.buf.in[head+used:])
		c.buf.in = c.buf.in[:head+rest]
		if chunks.part == chunkDone {
			r.Body = chunks.body
			c.size = head
			return nil
		}
		if err := c.fill(); err != nil {
			return err
		}
	}
}

// invite answers "Expect: 100-continue" when the body has not arrived by
// itself.
func (c *Conn) invite(r *Request, upTo int) error {
	if len(c.buf.in) >= upTo || r.oldVersion || !hasToken(r.values[Expect], "100-continue") {
		return nil
	}
	if err := c.SetWriteDeadline(time.Now().Add(c.limits.Write)); err != nil {
		return err
	}
	_, err := io.WriteString(c.Conn, "HTTP/1.1 100 Continue\r\n\r\n")
	return err
}

// fill reads more bytes, at least one. Waiting for the first byte of a request
// needs no buffer where the operating system can be asked for readiness.
func (c *Conn) fill() error {
	if err := c.setDeadline(); err != nil {
		return err
	}
	if c.place == nil || c.buf != nil {
		return c.fillSome()
	}
	c.place.idle.Store(c.readSet.UnixNano())
	err := c.fillSome()
	if c.place.idle.Swap(0) == evicted {
		return io.EOF
	}
	return err
}

func (c *Conn) fillSome() error {
	if c.raw == nil {
		return c.fillPlain()
	}
	if c.buf != nil {
		c.buf.room()
	}
	c.received, c.readErr = 0, nil
	if err := c.raw.Read(c.tryRead); err != nil && !c.hasArrived(err) {
		return c.timedOut(err)
	}
	return c.ended(c.received, c.readErr)
}

// hasArrived reads what is there when a deadline is missed: it came in time when it was
// this process that was late, as one is that was stopped, and after a deadline nothing
// else reads it. Whoever is slow finds nothing there.
func (c *Conn) hasArrived(missed error) (some bool) {
	if errors.Is(missed, os.ErrDeadlineExceeded) {
		_ = c.raw.Control(func(fd uintptr) { some = c.readNow(fd) }) // closed: nothing is there
	}
	return some
}

// setDeadline keeps two promises: a request is complete within its time, and
// a connection without one does not wait for ever. It never closes before its
// idle time, since who counts on that would send into the end.
func (c *Conn) setDeadline() error {
	want, after, slack := requestDeadline, c.limits.Request, time.Duration(0)
	if c.buf == nil && c.readBy != noDeadline {
		want, after, slack = idleDeadline, c.limits.Idle, min(deadlineSlack, c.limits.Idle/8)
	}
	switch {
	case want == requestDeadline && c.readBy == requestDeadline:
		return nil
	case c.buf == nil && c.blankLines > 0 && c.readBy != pastDeadline:
		return nil // blank lines buy no time
	}
	now := time.Now()
	if want == c.readBy && now.Sub(c.readSet) < slack {
		return nil
	}
	c.readBy, c.readSet = want, now
	return c.Conn.SetReadDeadline(now.Add(after + slack))
}

// readNow reads what the socket has, and reports false to wait for more.
func (c *Conn) readNow(fd uintptr) bool {
	if c.buf == nil {
		c.buf = buffers.Get().(*buffer)
	}
	in := c.buf.in
	for {
		n, err := syscall.Read(int(fd), in[len(in):cap(in)])
		switch err {
		case syscall.EINTR:
			continue
		case syscall.EAGAIN:
			if len(in) == 0 {
				c.buf.release()
				c.buf = nil
			}
			return false
		}
		c.received, c.readErr = max(n, 0), err
		return true
	}
}

// fillPlain reads through the connection's own Read, which may be TLS.
func (c *Conn) fillPlain() error {
	fresh := c.buf == nil
	if fresh {
		c.buf = buffers.Get().(*buffer)
	}
	c.buf.room()
	in := c.buf.in
	n, err := c.Conn.Read(in[len(in):cap(in)])
	if fresh && n == 0 {
		c.buf.release()
		c.buf = nil
	}
	if n > 0 {
		err = nil // it comes again with the next call
	}
	if err != nil {
		return c.timedOut(err)
	}
	return c.ended(n, nil)
}

// ended appends n received bytes; none means that the client is gone.
func (c *Conn) ended(n int, err error) error {
	if err == nil && n == 0 {
		err = io.EOF
	}
	if err != nil {
		return err
	}
	c.buf.in = c.buf.in[:len(c.buf.in)+n]
	return nil
}
