package wire

import (
	"sync/atomic"
	"time"
)

// Limits bounds what one connection may cost.
type Limits struct {
	// Head is the size of request line and headers together; over it 431.
	Head int
	// Body is the size of a body without chunk framing.
	Body int
	// Long are larger bodies of some targets; nil: of none.
	Long *LongBodies
	// Request is the time from accepting a connection, or from the first byte
	// of a later request, to its last byte. Over it 408.
	Request time.Duration
	// Idle is how long a connection may wait for its next request, at least. A
	// proxy that keeps connections for longer will now and then send a request
	// into the end of one, which is lost: most repeat no POST.
	Idle time.Duration
	// Write is the time to take an answer.
	Write time.Duration
}

// LongBodies are bodies over [Limits.Body], which come with their length. They are few, so
// that nobody can fill the memory with them: while Most are in hand, a further one is too
// large.
type LongBodies struct {
	Size int // of one
	Most int
	Of   func(target []byte) bool
	now  atomic.Int64
}

// enter reports whether a body of n bytes may be received; if so it must leave.
func (l *LongBodies) enter(target []byte, n int) bool {
	if l == nil || n > l.Size || !l.Of(target) {
		return false
	}
	if l.now.Add(1) <= int64(l.Most) {
		return true
	}
	l.leave()
	return false
}

func (l *LongBodies) leave() { l.now.Add(-1) }

// DefaultLimits are sizes far above those of honest requests, time-outs that a
// phone on a bad network meets and a slow attacker does not, and an idle time
// above the 60 s for which common balancers keep connections.
var DefaultLimits = Limits{
	Head:    32 << 10,
	Body:    64 << 10,
	Request: 5 * time.Second,
	Idle:    75 * time.Second,
	Write:   10 * time.Second,
}

// maxLine bounds method and target: what fasthttp must buffer of a request.
const maxLine = 8 << 10

// maxHost is the longest host name with a port and brackets.
const maxHost = 264

// MaxReduced is the size of the largest reduced head that a Conn delivers.
const MaxReduced = maxLine + maxHost + 128
