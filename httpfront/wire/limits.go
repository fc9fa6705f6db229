package wire

import "time"

// Limits bounds what one connection may cost.
type Limits struct {
	// Head is the size of request line and headers together; over it 431.
	Head int
	// Body is the size of a body without chunk framing.
	Body int
	// Request is the time from accepting a connection, or from the first byte
	// of a later request, to its last byte. Over it 408.
	Request time.Duration
	// Idle is how long a connection may wait for its next request.
	Idle time.Duration
}

// DefaultLimits are those of limits.md 3 of the contract, and time-outs that a
// phone on a bad network meets and a slow attacker does not.
var DefaultLimits = Limits{
	Head:    32 << 10,
	Body:    64 << 10,
	Request: 5 * time.Second,
	Idle:    30 * time.Second,
}

// maxLine bounds method and target: what fasthttp must buffer of a request.
const maxLine = 8 << 10

// maxHost is the longest host name with a port and brackets.
const maxHost = 264

// MaxReduced is the size of the largest reduced head that a Conn delivers.
const MaxReduced = maxLine + maxHost + 128
