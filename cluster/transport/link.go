package transport

import "time"

// link is one connection to another node.
type link struct {
	*socket
	reader *frameReader
	writer *frameWriter
	// era is that of the incarnation at the other end.
	era era
	// patience bounds the wait of a read.
	patience time.Duration
}

// bufferSize is how much is read or written at a time: four TLS records.
const bufferSize = 64 << 10

// Above TLS, for which [coalescer] buffers that much, buffers only gather small frames:
// longer ones bypass them, which saves a copy each way.
const (
	readAbove  = 4 << 10
	writeAbove = 16 << 10 // a record
)

// newLink puts frames on a connection.
func newLink(s *socket, limit int, patience time.Duration) *link {
	l := &link{socket: s, patience: patience}
	read, write := bufferSize, bufferSize
	if s.out != nil {
		read, write = readAbove, writeAbove
	}
	l.reader = newFrameReader(l, read, 1+limit)
	l.writer = newFrameWriter(s, write)
	return l
}

// Read implements [net.Conn]: it fails when nothing comes within patience.
func (l *link) Read(b []byte) (int, error) {
	_ = l.SetReadDeadline(time.Now().Add(l.patience))
	return l.Conn.Read(b)
}

// Close ends the connection at once, without TLS's close_notify, which could block; frames
// have lengths, so a cut is noticed.
func (l *link) Close() error { return l.raw.Close() }

func (l *link) flush() error {
	if err := l.writer.flush(); err != nil || l.out == nil {
		return err
	}
	return l.out.flush()
}

// send puts a frame and flushes.
func (l *link) send(k kind, payload []byte, within time.Duration) error {
	_ = l.SetWriteDeadline(time.Now().Add(within))
	if err := l.writer.put(k, payload, nil); err != nil {
		return err
	}
	return l.flush()
}
