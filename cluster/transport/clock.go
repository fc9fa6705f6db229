package transport

import (
	"encoding/binary"
	"sync"
	"time"
)

// samples is how many pings an offset is estimated from. A step of the other
// clock shows after so many.
const samples = 4

// clock estimates how far a peer's clock is ahead of this node's. Of the last
// few measurements the one with the shortest way counts: what a message waited
// somewhere is what makes the others wrong (RFC 5905, 10).
type clock struct {
	mu   sync.Mutex
	last [samples]sample
	n    int
}

type sample struct {
	offset, trip time.Duration
}

// add takes a measurement: sent and back by this node's clock, came and left by
// the peer's. A negative way means that a clock was set meanwhile.
func (c *clock) add(sent, came, left, back time.Time) {
	s := sample{
		offset: (came.Sub(sent) + left.Sub(back)) / 2,
		trip:   back.Sub(sent) - left.Sub(came),
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

// best is the measurement that counts, false when there is none.
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

// stamp is the length of a time on the wire: nanoseconds since 1970.
const stamp = 8

func appendTime(b []byte, t time.Time) []byte {
	return binary.BigEndian.AppendUint64(b, uint64(t.UnixNano()))
}

func timeAt(b []byte) time.Time {
	return time.Unix(0, int64(binary.BigEndian.Uint64(b)))
}
