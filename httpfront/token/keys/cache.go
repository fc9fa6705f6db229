package keys

import (
	"encoding/binary"
	"sync/atomic"
	"time"
)

// ways is how many places of the cache one hash can be in.
const ways = 8

// standing is everything besides the token's bytes and the time that decides
// whether a token is good. A cached verdict counts only while it is unchanged.
type standing struct {
	realm   string
	epoch   uint64 // keys and configuration
	issuers uint64 // keys of external issuers
}

// entry is a token that was verified. It does not change.
type entry[C any] struct {
	standing
	sum    [32]byte
	until  time.Time // nobody needs it any more
	claims C
}

// cache remembers verified tokens by SHA-256. It is a table of fixed size
// without locks: a hash can be in one of a few places, and a new token takes
// the place of one that is over, else of any. Only tokens with a good signature
// get in, so a stranger cannot flush it.
type cache[C any] struct {
	places []atomic.Pointer[entry[C]]
	mask   uint64
}

// newCache makes a cache for at least size tokens.
func newCache[C any](size int) *cache[C] {
	sets := uint64(1)
	for sets*ways < uint64(size) {
		sets *= 2
	}
	return &cache[C]{places: make([]atomic.Pointer[entry[C]], sets*ways), mask: sets - 1}
}

func (c *cache[C]) set(sum *[32]byte) []atomic.Pointer[entry[C]] {
	i := binary.LittleEndian.Uint64(sum[:]) & c.mask * ways
	return c.places[i : i+ways]
}

// get returns the entry of a token if its verdict still stands.
func (c *cache[C]) get(sum *[32]byte, stand *standing, now time.Time) *entry[C] {
	set := c.set(sum)
	for i := range set {
		if e := set[i].Load(); e != nil && e.sum == *sum && e.standing == *stand && now.Before(e.until) {
			return e
		}
	}
	return nil
}

// put remembers e, which becomes the cache's.
func (c *cache[C]) put(sum *[32]byte, e *entry[C], now time.Time) {
	e.sum = *sum
	set := c.set(sum)
	place := int(sum[31]) % ways
	for i := range set {
		old := set[i].Load()
		if old == nil || old.sum == *sum || !now.Before(old.until) || old.epoch != e.epoch {
			place = i
			break
		}
	}
	set[place].Store(e)
}
