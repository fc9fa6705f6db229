package loadgen

import (
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"golang.org/x/sys/unix"
)

// Source makes the requests of a run and judges their answers.
type Source interface {
	// Next appends one request to buf and names it with a tag that comes back
	// with the answer. It reports false when it has no more.
	Next(buf []byte) (request []byte, tag int, ok bool)
	// Answer judges the answer of tag and may keep what it needs; body is valid
	// until it returns. False counts as an error of the server.
	Answer(tag, status int, body []byte) bool
}

const readBuffer = 64 << 10

// conn is one keep-alive connection with at most one request on it.
type conn struct {
	fd       int
	in, out  []byte
	filled   int // bytes of in that are read and not yet parsed
	tag      int
	intended time.Duration // when the request should have started
	busy     bool
}

// Loop is a set of connections.
type Loop struct {
	addrs  []string
	epoll  int
	conns  []*conn
	idle   []*conn
	events []unix.EpollEvent
	start  time.Time
	timer  int
}

// Dial opens n connections, to each of the addresses in turn.
func Dial(n int, addrs ...string) (*Loop, error) {
	epoll, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("epoll_create: %w", err)
	}
	l := &Loop{addrs: addrs, epoll: epoll, timer: -1, events: make([]unix.EpollEvent, n+1), start: time.Now()}
	for range n {
		c := &conn{fd: -1, in: make([]byte, readBuffer)}
		l.conns = append(l.conns, c)
		l.idle = append(l.idle, c)
		if err := l.connect(len(l.conns) - 1); err != nil {
			return nil, errors.Join(err, l.Close())
		}
	}
	return l, nil
}

// connect dials connection i and hands its socket from the runtime's poller to
// the loop's.
func (l *Loop) connect(i int) error {
	dialed, err := net.Dial("tcp", l.addrs[i%len(l.addrs)])
	if err != nil {
		return err
	}
	defer dialed.Close()
	raw, err := dialed.(*net.TCPConn).SyscallConn()
	if err != nil {
		return err
	}
	var fd int
	var dup error
	if err := raw.Control(func(s uintptr) { fd, dup = unix.FcntlInt(s, unix.F_DUPFD_CLOEXEC, 0) }); err != nil {
		return err
	}
	if dup != nil {
		return fmt.Errorf("dup: %w", dup)
	}
	l.conns[i].fd = fd
	event := unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(i)}
	return unix.EpollCtl(l.epoll, unix.EPOLL_CTL_ADD, fd, &event)
}

// Close closes every connection.
func (l *Loop) Close() error {
	var errs []error
	for _, c := range l.conns {
		if c.fd >= 0 {
			errs = append(errs, unix.Close(c.fd))
		}
	}
	return errors.Join(append(errs, unix.Close(l.epoll))...)
}

func (l *Loop) now() time.Duration { return time.Since(l.start) }

// send starts the next request of src on c. It reports false when src has none.
func (l *Loop) send(c *conn, src Source, intended time.Duration) (bool, error) {
	request, tag, ok := src.Next(c.out[:0])
	if !ok {
		return false, nil
	}
	c.out, c.tag, c.intended, c.busy = request, tag, intended, true
	n, err := unix.Write(c.fd, request)
	if err != nil {
		return true, fmt.Errorf("send: %w", err)
	}
	if n < len(request) {
		return true, io.ErrShortWrite
	}
	return true, nil
}

// receive reads what has arrived on c and reports a complete answer.
func (c *conn) receive() (answer, bool, error) {
	n, err := unix.Read(c.fd, c.in[c.filled:])
	switch {
	case errors.Is(err, unix.EAGAIN), errors.Is(err, unix.EINTR):
		return answer{}, false, nil
	case err != nil:
		return answer{}, false, fmt.Errorf("receive: %w", err)
	case n == 0:
		return answer{}, false, fmt.Errorf("receive: %w", io.ErrUnexpectedEOF)
	}
	c.filled += n
	a, ok, err := parse(c.in[:c.filled])
	if err == nil && !ok && c.filled == len(c.in) {
		err = errAnswer
	}
	if ok {
		c.filled = 0
		c.busy = false
	}
	return a, ok, err
}

// wait returns the connections with something to read, none after d.
func (l *Loop) wait(d time.Duration) ([]unix.EpollEvent, error) {
	ms := int(d / time.Millisecond)
	for {
		n, err := unix.EpollWait(l.epoll, l.events, ms)
		if errors.Is(err, unix.EINTR) { // the runtime preempts with signals
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("epoll_wait: %w", err)
		}
		return l.events[:n], nil
	}
}
