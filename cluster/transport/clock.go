package transport

import (
	"encoding/binary"
	"sync"
	"time"
)

// samples is how many pings a clock is estimated from, and after how many a step of the
// other clock shows.
const samples = 4

// clock estimates what a peer's clock says. Of the last few measurements the one
// with the shortest way counts: what a message waited somewhere is what makes the
// others wrong (RFC 5905, 10).
//
// It uses the monotonic time since the network was opened, which cannot be set. So a
// step of this node's own clock shows at once, and not after some pings: a node
// whose clock leaps must not go by it until then.
type clock struct {
	mu   sync.Mutex
	last [samples]sample
	n    int
}

// sample is one measurement: the time of the peer's clock when the network was opened.
type sample struct {
	epoch time.Time
	trip  time.Duration
}

// now is the time of the peer's clock when the network has been open for up.
func (s sample) now(up time.Duration) time.Time { return s.epoch.Add(up) }

// add takes a measurement: sent and back since the network was opened, came and left by the
// peer's clock. A negative trip means that that was set meanwhile.
func (c *clock) add(sent time.Duration, came, left time.Time, back time.Duration) {
	s := sample{
		epoch: came.Add(left.Sub(came) / 2).Add(-(sent + back) / 2),
		trip:  back - sent - left.Sub(came),
	}
	if s.trip < 0 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.last[c.n%samples] = s
	c.n++
}

// forget drops all measurements.
func (c *clock) forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.n = 0
}

// best is the measurement with the shortest trip, false when there is none.
func (c *clock) best() (sample, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.n == 0 {
		return sample{}, false
	}
	best := c.last[0]
	for _, s := range c.last[1:min(c.n, samples)] {
		if s.trip < best.trip {
			best = s
		}
	}
	return best, true
}

// stamp is the length of a time on the wire: nanoseconds since 1970, or since a time of the
// sender's choice.
const stamp = 8

func appendStamp(b []byte, ns int64) []byte {
	return binary.BigEndian.AppendUint64(b, uint64(ns))
}

func stampAt(b []byte) int64 { return int64(binary.BigEndian.Uint64(b)) }

// up is how long the network has been open.
func (n *Network) up() time.Duration { return time.Since(n.started) }

// Clock is the present time of a peer's clock; false without a measurement on the present
// connection.
func (n *Network) Clock(id NodeID) (time.Time, bool) {
	p := n.peer(id)
	if p == nil {
		return time.Time{}, false
	}
	best, ok := p.clock.best()
	return best.now(n.up()), ok
}

// Offset is how far a peer's clock is ahead of this node's; false if unknown.
func (n *Network) Offset(id NodeID) (time.Duration, bool) {
	now, ok := n.Clock(id)
	return now.Sub(n.wall()), ok
}

// wall is this node's clock without the monotonic reading, which would be used in
// differences instead.
func (n *Network) wall() time.Time { return n.cfg.Clock().Round(0) }
