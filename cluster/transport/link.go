package transport

import (
	"net"
	"time"
)

// link is one connection to another node.
type link struct {
	net.Conn // TLS, or the same as raw
	raw      net.Conn
	out      *coalescer // nil without TLS
	reader   *frameReader
	writer   *frameWriter
	// era is that of the incarnation at the other end.
	era era
	// patience is how long a read may find nothing.
	patience time.Duration
}

// bufferSize is how much is read or written at a time: four TLS records.
const bufferSize = 64 << 10

// newLink puts frames on a connection, of which raw is the socket.
func newLink(conn, raw net.Conn, out *coalescer, patience time.Duration) *link {
	l := &link{Conn: conn, raw: raw, out: out, patience: patience}
	l.reader = newFrameReader(l, bufferSize, firstFrame)
	l.writer = newFrameWriter(conn, bufferSize)
	return l
}

// trust lets the other side, which is greeted, send longer frames.
func (l *link) trust(limit int, patience time.Duration) {
	l.reader.limit, l.patience = 1+limit, patience
	_ = l.SetWriteDeadline(time.Time{})
}

// Read implements [net.Conn]: it fails when nothing comes for too long.
func (l *link) Read(b []byte) (int, error) {
	_ = l.SetReadDeadline(time.Now().Add(l.patience))
	return l.Conn.Read(b)
}

// Close ends the connection at once. It sends no TLS farewell, which could
// block; frames have lengths, so a cut is noticed.
func (l *link) Close() error { return l.raw.Close() }

// flush sends what was put.
func (l *link) flush() error {
	if err := l.writer.flush(); err != nil || l.out == nil {
		return err
	}
	return l.out.flush()
}

// send puts a frame and flushes, within the given time.
func (l *link) send(k kind, payload []byte, within time.Duration) error {
	_ = l.SetWriteDeadline(time.Now().Add(within))
	if err := l.writer.put(k, payload, nil); err != nil {
		return err
	}
	return l.flush()
}
