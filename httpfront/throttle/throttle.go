package throttle

import (
	"hash/maphash"
	"net/netip"
	"sync"
	"time"
)

const (
	// IdleAfter is when an unused bucket is dropped.
	IdleAfter = 60 * time.Second
	// maxBuckets bounds the addresses that are remembered. Over it half of a
	// shard is forgotten early, to the advantage of those clients.
	maxBuckets = 1 << 19

	shards = 64
)

// Rate says how many requests an address may make.
type Rate struct {
	PerSecond float64
	// Burst is the number of extra requests of a client that was quiet.
	Burst float64
}

// Throttle is a set of buckets. It is safe for concurrent use.
type Throttle struct {
	seed   maphash.Seed
	max    int // buckets per shard
	shards [shards]shard
}

type shard struct {
	mu      sync.Mutex
	buckets map[netip.Addr]bucket
	swept   time.Time
	_       [24]byte // keep neighbours off one cache line
}

// bucket is the level at a time. It says nothing about rate and burst, so a
// reload of the configuration keeps it.
type bucket struct {
	level float64
	at    time.Time
}

// New returns an empty Throttle.
func New() *Throttle { return newThrottle(maxBuckets) }

func newThrottle(buckets int) *Throttle {
	t := &Throttle{seed: maphash.MakeSeed(), max: buckets / shards}
	for i := range t.shards {
		t.shards[i].buckets = make(map[netip.Addr]bucket)
	}
	return t
}

// Allow takes one token of the address's bucket and reports whether there was
// one.
func (t *Throttle) Allow(a netip.Addr, r Rate, now time.Time) bool {
	a = Client(a)
	s := &t.shards[maphash.Comparable(t.seed, a)%shards]
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sweep(now, t.max)
	capacity := 1 + r.Burst
	b, ok := s.buckets[a]
	if !ok {
		b = bucket{level: capacity, at: now}
	}
	b = b.refilled(r.PerSecond, capacity, now)
	allowed := b.level >= 1-tolerance
	if allowed {
		b.level--
	}
	s.buckets[a] = b
	return allowed
}

// Client is what has a bucket of its own: an IPv4 address, or the /64 of an
// IPv6 address, which a host has to itself and can call from at will.
func Client(a netip.Addr) netip.Addr {
	if a = a.Unmap(); a.Is4() {
		return a
	}
	return netip.PrefixFrom(a, 64).Masked().Addr() // the zero Addr stays itself
}

// tolerance forgives the rounding of many small refills.
const tolerance = 1e-9

// refilled returns the bucket at now. A clock that steps back adds nothing and
// takes nothing.
func (b bucket) refilled(perSecond, capacity float64, now time.Time) bucket {
	if d := now.Sub(b.at); d > 0 {
		b.level += d.Seconds() * perSecond
		b.at = now
	}
	b.level = min(b.level, capacity)
	return b
}

// sweep drops idle buckets every now and then, and half of all when there are
// too many.
func (s *shard) sweep(now time.Time, limit int) {
	full := len(s.buckets) >= limit
	if since := now.Sub(s.swept); 0 <= since && since < IdleAfter/4 && !full {
		return
	}
	s.swept = now
	for a, b := range s.buckets {
		if now.Sub(b.at) >= IdleAfter {
			delete(s.buckets, a)
		}
	}
	if len(s.buckets) >= limit {
		s.halve()
	}
}

// halve forgets half of a shard that is full of recent buckets; Go's map order
// is random enough to choose; what is forgotten starts full again.
func (s *shard) halve() {
	drop := len(s.buckets) / 2
	for a := range s.buckets {
		if drop--; drop < 0 {
			return
		}
		delete(s.buckets, a)
	}
}

// Len returns the number of buckets.
func (t *Throttle) Len() (n int) {
	for i := range t.shards {
		s := &t.shards[i]
		s.mu.Lock()
		n += len(s.buckets)
		s.mu.Unlock()
	}
	return n
}
