package wire

import (
	"crypto/tls"
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// Listener accepts connections as [Conn]s, at most so many at a time.
type Listener struct {
	net.Listener
	// Failed is told why a connection could not be accepted; may be nil.
	Failed func(error)

	limits Limits
	tls    *tls.Config // nil: plain
	max    int64
	open   atomic.Int64
	closed chan struct{}
	once   sync.Once
}

// Listen wraps l. A connection beyond max is closed at once. With a TLS
// configuration the handshake takes place within the time of the first
// request.
func Listen(l net.Listener, limits Limits, max int, cfg *tls.Config) *Listener {
	return &Listener{Listener: l, limits: limits, max: int64(max), tls: cfg, closed: make(chan struct{})}
}

// Accept returns the next connection. It fails only when the listener is
// closed.
func (l *Listener) Accept() (net.Conn, error) {
	for {
		c, err := l.acceptPatiently()
		if err != nil {
			return nil, err
		}
		if l.open.Add(1) > l.max {
			l.open.Add(-1)
			c.Close()
			continue
		}
		if l.tls != nil {
			c = tls.Server(c, l.tls)
		}
		return NewConn(c, &l.limits, func() { l.open.Add(-1) }), nil
	}
}

// How long to wait after an accept that failed, doubled each time.
const (
	acceptPause    = 5 * time.Millisecond
	maxAcceptPause = time.Second
)

// acceptPatiently waits until accepting is possible again: when the process has
// no file descriptor left, say, connections that end give some back. fasthttp
// would stop serving for good.
func (l *Listener) acceptPatiently() (net.Conn, error) {
	for pause := acceptPause; ; pause = min(2*pause, maxAcceptPause) {
		c, err := l.Listener.Accept()
		if err == nil || errors.Is(err, net.ErrClosed) {
			return c, err
		}
		if l.Failed != nil {
			l.Failed(err)
		}
		select {
		case <-time.After(pause):
		case <-l.closed:
			return nil, net.ErrClosed
		}
	}
}

// Close stops accepting, also while Accept waits for better times.
func (l *Listener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return l.Listener.Close()
}

// Open returns the number of open connections.
func (l *Listener) Open() int { return int(l.open.Load()) }
