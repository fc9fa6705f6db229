package wire

import (
	"crypto/tls"
	"errors"
	"net"
	"net/netip"
	"sync/atomic"
	"time"
)

// Listener accepts connections as [Conn]s, within bounds on their number in all and of one
// holder.
type Listener struct {
	net.Listener
	// Failed is told why a connection could not be accepted; may be nil.
	Failed func(error)
	// Share returns the holder that an address's connections count for, and how many it
	// may have; 0: any number. nil: no bound per holder.
	Share func(netip.Addr) (holder netip.Addr, most int)

	limits Limits
	tls    *tls.Config // nil: plain
	places places
	closed chan struct{}
	ended  atomic.Bool
}

// Listen wraps l. A connection beyond max takes the place of one that is idle, or
// is closed at once. With a TLS configuration the handshake takes place within the
// time of the first request.
func Listen(l net.Listener, limits Limits, max int, cfg *tls.Config) *Listener {
	return &Listener{Listener: l, limits: limits, tls: cfg, places: newPlaces(max), closed: make(chan struct{})}
}

// Accept returns the next connection. It fails only when the listener is
// closed.
func (l *Listener) Accept() (net.Conn, error) {
	for {
		socket, err := l.acceptPatiently()
		if err != nil {
			return nil, err
		}
		c := socket
		if l.tls != nil {
			c = tls.Server(socket, l.tls)
		}
		conn := NewConn(c, &l.limits)
		conn.place = &place{places: &l.places, socket: socket}
		if l.Share != nil {
			conn.place.holder, conn.place.most = l.Share(peerOf(socket))
		}
		if l.places.enter(conn.place) {
			return conn, nil
		}
		_ = socket.Close() // nobody is told
	}
}

func peerOf(c net.Conn) netip.Addr {
	if tcp, ok := c.RemoteAddr().(*net.TCPAddr); ok {
		return tcp.AddrPort().Addr()
	}
	return netip.Addr{}
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
	if !l.ended.Swap(true) {
		close(l.closed)
	}
	return l.Listener.Close()
}

// Counts are how many connections there are and what became of others.
type Counts struct {
	Open    int
	Crowded int // refused, since their holder had as many as it may
	Full    int // refused, since all places were taken and none was idle
	Evicted int // idle, closed for the sake of others
}

// Counts returns the present ones.
func (l *Listener) Counts() Counts { return l.places.counts() }
