package wire

import (
	"errors"
	"io"
	"net"
	"os"
	"sync/atomic"
	"syscall"
	"time"
)

// Conn is a connection that hands over complete, well-formed requests only.
// Read is for fasthttp; [Conn.Take] is for the handler that fasthttp calls
// then. Both run in the connection's own goroutine.
type Conn struct {
	net.Conn
	limits *Limits
	place  *place // nil: of no listener

	buf  *buffer // nil while waiting for a request
	size int     // bytes of buf.in that belong to the request at hand
	out  []byte  // what fasthttp has not read yet of buf.out

	blankLines int // in front of the request at hand

	long    atomic.Bool // the body is one of Limits.Long
	untaken bool        // a request was handed over and no handler has seen it
	last    bool        // nothing is read after the request at hand
	refused Refusal

	raw      syscall.RawConn // nil: read through Conn
	tryRead  func(fd uintptr) bool
	received int
	readErr  error

	readBy    deadlineKind
	readSet   time.Time
	writeDue  time.Time
	unread    atomic.Bool // the client may still be sending: linger
	wasClosed atomic.Bool
}

type deadlineKind uint8

const (
	noDeadline deadlineKind = iota // nothing was read yet
	idleDeadline
	requestDeadline
	pastDeadline // of a request that was answered
)

// deadlineSlack is how much a deadline may be off to save moving it for every
// request.
const deadlineSlack = time.Second

// NewConn reads requests from c within limits.
func NewConn(c net.Conn, limits *Limits) *Conn {
	conn := &Conn{Conn: c, limits: limits}
	if s, ok := c.(syscall.Conn); ok {
		if raw, err := s.SyscallConn(); err == nil {
			conn.raw, conn.tryRead = raw, conn.readNow
		}
	}
	return conn
}

// Take returns the request that the handler was called for, or why it is refused. The
// request is valid until the handler returns. last says that the answer is the
// connection's last.
func (c *Conn) Take() (r *Request, refusal Refusal, last bool) {
	c.untaken = false
	return &c.buf.request, c.refused, c.last
}

// CloseAfter makes the request at hand the last one of the connection.
func (c *Conn) CloseAfter() {
	c.last = true
	c.unread.Store(true)
}

// Crowded reports whether places are getting scarce, so that a client that can do
// without its connection should lose it.
func (c *Conn) Crowded() bool { return c.place != nil && c.place.places.crowded(c.place) }

// Read delivers the reduced head of one request and never a byte of the next,
// so the end of a request is where this package saw it, whatever fasthttp
// thinks.
func (c *Conn) Read(p []byte) (int, error) {
	if len(c.out) == 0 {
		if err := c.next(); err != nil {
			return 0, err
		}
	}
	n := copy(p, c.out)
	c.out = c.out[n:]
	return n, nil
}

// next receives the next request and leaves its reduced head in out.
func (c *Conn) next() error {
	if c.untaken || c.last {
		return io.EOF
	}
	c.drop()
	c.blankLines = 0
	if c.readBy == requestDeadline {
		c.readBy = pastDeadline
	}
	switch err := c.receive().(type) {
	case nil:
		c.reduce()
	case Refusal:
		c.refuse(err)
	default:
		return err
	}
	c.untaken = true
	return nil
}

// drop forgets the request that was answered, and gives the buffer back unless
// the client has sent more already.
func (c *Conn) drop() {
	c.leaveLong()
	if c.buf == nil {
		return
	}
	n := c.size
	c.size = 0
	if c.discard(n) {
		c.buf.request = Request{}
	}
}

func (c *Conn) leaveLong() {
	if c.long.Swap(false) {
		c.limits.Long.leave()
	}
}

// discard drops the first n bytes of what was received, and the buffer when
// nothing is left. It reports whether something is.
func (c *Conn) discard(n int) bool {
	c.buf.shift(n)
	if len(c.buf.in) > 0 {
		return true
	}
	c.buf.release()
	c.buf = nil
	return false
}

// reduce writes what fasthttp has to know of the request: method, target and
// whether the connection goes on. Everything else is in Request.
func (c *Conn) reduce() {
	r := &c.buf.request
	out := append(c.buf.out[:0], r.Method...)
	out = append(out, ' ')
	out = append(out, r.Target...)
	out = append(out, " HTTP/1.1\r\nHost: "...)
	if r.sent(Host) {
		out = append(out, r.values[Host]...)
	} else {
		out = append(out, "none"...)
	}
	if r.close || r.TooLarge {
		out = append(out, "\r\nConnection: close"...)
		c.last = true
	}
	c.buf.out = append(out, "\r\n\r\n"...)
	c.out = c.buf.out
}

// refuse hands over a request that stands for the refused one, so that the
// refusal is answered where all requests are.
func (c *Conn) refuse(why Refusal) {
	c.CloseAfter()
	c.refused = why
	c.buf.request = Request{}
	c.buf.out = append(c.buf.out[:0], "GET / HTTP/1.1\r\nHost: refused\r\nConnection: close\r\n\r\n"...)
	c.out = c.buf.out
}

// SetReadDeadline does nothing: a Conn keeps its own deadlines, which are for
// whole requests.
func (c *Conn) SetReadDeadline(time.Time) error { return nil }

// SetWriteDeadline moves the deadline when it is worth it.
func (c *Conn) SetWriteDeadline(t time.Time) error {
	if d := t.Sub(c.writeDue); 0 <= d && d < min(deadlineSlack, c.limits.Write/8) {
		return nil
	}
	c.writeDue = t
	return c.Conn.SetWriteDeadline(t)
}

// Close closes the connection. If the client may still be sending, it is given
// a moment to see the answer first: closing on unread data resets the
// connection and can take the answer with it.
func (c *Conn) Close() error {
	if c.wasClosed.Swap(true) {
		return nil
	}
	c.leaveLong()
	if c.unread.Load() {
		c.linger()
	}
	if c.place != nil {
		c.place.places.leave(c.place)
	}
	return c.Conn.Close()
}

const (
	lingerTime  = 500 * time.Millisecond
	lingerBytes = 4 << 20
)

func (c *Conn) linger() {
	half, ok := c.Conn.(interface{ CloseWrite() error })
	if !ok || half.CloseWrite() != nil || c.Conn.SetReadDeadline(time.Now().Add(lingerTime)) != nil {
		return
	}
	var scratch [4096]byte
	for n := 0; n < lingerBytes; {
		got, err := c.Conn.Read(scratch[:])
		if n += got; err != nil {
			return
		}
	}
}

// timedOut turns a missed deadline in the middle of a request into a refusal.
func (c *Conn) timedOut(err error) error {
	if errors.Is(err, os.ErrDeadlineExceeded) && c.buf != nil {
		return errTimeout
	}
	return err
}
