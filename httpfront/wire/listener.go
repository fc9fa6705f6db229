package wire

import (
	"crypto/tls"
	"net"
	"sync/atomic"
)

// Listener accepts connections as [Conn]s, at most so many at a time.
type Listener struct {
	net.Listener
	limits Limits
	tls    *tls.Config // nil: plain
	max    int64
	open   atomic.Int64
}

// Listen wraps l. A connection beyond max is closed at once. With a TLS
// configuration the handshake takes place within the time of the first
// request.
func Listen(l net.Listener, limits Limits, max int, cfg *tls.Config) *Listener {
	return &Listener{Listener: l, limits: limits, max: int64(max), tls: cfg}
}

// Accept returns the next connection.
func (l *Listener) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
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

// Open returns the number of open connections.
func (l *Listener) Open() int { return int(l.open.Load()) }
