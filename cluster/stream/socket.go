package stream

import (
	"bufio"
	"net"
	"sync"
	"syscall"
	"time"
)

const (
	// readBuffer is how much is read at a time: two TLS records.
	readBuffer = 32 << 10
	// shakingBuffer is the read buffer during the handshake.
	shakingBuffer = 4 << 10
	// keptBuffer is the largest buffer that is kept for what is written.
	keptBuffer = 64 << 10
)

// socket lies under TLS, which reads and writes record by record, and reads and writes
// several of them at a time. What is written leaves at once during the handshake; after it,
// try and flush send it.
type socket struct {
	net.Conn
	r   *bufio.Reader
	raw syscall.RawConn // nil: writes cannot be tried

	mu     sync.Mutex // TLS also writes when it reads something wrong
	out    []byte     // what was written and not sent
	sent   int        // of out
	gather bool
	send   func(fd uintptr) bool
	err    error // of send
}

func newSocket(c net.Conn) *socket {
	s := &socket{Conn: c, r: bufio.NewReaderSize(c, shakingBuffer)}
	if k, ok := c.(syscall.Conn); ok {
		s.raw, _ = k.SyscallConn() // nil with an error
	}
	s.send = s.sendOnce
	return s
}

// Read implements [net.Conn].
func (s *socket) Read(b []byte) (int, error) { return s.r.Read(b) }

// Write implements [net.Conn].
func (s *socket) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.gather {
		return s.Conn.Write(b)
	}
	s.out = append(s.out, b...)
	return len(b), nil
}

// begin ends the handshake. There must be no concurrent reads.
func (s *socket) begin() {
	s.r = bufio.NewReaderSize(s.r, readBuffer)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.gather = true
}

// sendOnce writes what the kernel takes without waiting.
func (s *socket) sendOnce(fd uintptr) bool {
	for s.sent < len(s.out) {
		n, err := syscall.Write(int(fd), s.out[s.sent:])
		switch err {
		case nil:
			s.sent += n
		case syscall.EINTR:
		case syscall.EAGAIN:
			return true
		default:
			s.err = err
			return true
		}
	}
	return true
}

// try sends as much of what was written as needs no waiting, and reports whether that is all.
func (s *socket) try() (all bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.raw == nil {
		return len(s.out) == 0, nil
	}
	if err := s.raw.Write(s.send); err != nil {
		return false, err
	}
	if s.err != nil {
		return false, &net.OpError{Op: "write", Net: "tcp", Err: s.err}
	}
	if s.sent < len(s.out) {
		return false, nil
	}
	s.empty(s.out)
	return true, nil
}

// flush sends what was written, and fails when the other side takes nothing within patience.
// Only one goroutine at a time may send.
func (s *socket) flush(patience time.Duration) error {
	s.mu.Lock()
	out, sent := s.out, s.sent
	s.out, s.sent = nil, 0
	s.mu.Unlock()
	for sent < len(out) {
		_ = s.SetWriteDeadline(time.Now().Add(patience))
		n, err := s.Conn.Write(out[sent:min(len(out), sent+keptBuffer)])
		if err != nil {
			return err
		}
		sent += n
	}
	_ = s.SetWriteDeadline(time.Time{})
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.out == nil {
		s.empty(out)
	}
	return nil
}

func (s *socket) empty(out []byte) {
	s.out, s.sent = out[:0], 0
	if cap(out) > keptBuffer+keptBuffer/8 {
		s.out = nil
	}
}
