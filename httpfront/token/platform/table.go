package platform

import (
	"sync"
	"time"

	"ssod/httpfront/config"
)

// table is the platforms of one configuration.
type table struct {
	cfg    *config.Config
	realms map[string]*platforms
}

// platforms are those of one realm, with the tokens that were good.
type platforms struct {
	list []*platform
	seen cache
}

// table returns the platforms of a configuration. The first request after a
// reload reads their files, which the reload has checked.
func (v *Verifier) table(cfg *config.Config) *table {
	if t := v.current.Load(); t.cfg == cfg {
		return t
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if t := v.current.Load(); t.cfg == cfg {
		return t
	}
	gone := v.follow(cfg)
	t := &table{cfg: cfg, realms: make(map[string]*platforms)}
	for _, realm := range cfg.Realms {
		t.realms[realm.ID] = v.read(realm)
	}
	v.current.Store(t)
	for _, p := range gone {
		p.Stop()
	}
	return t
}

func (v *Verifier) read(realm *config.Realm) *platforms {
	all := &platforms{}
	for i := range realm.Platforms {
		p, err := newPlatform(&realm.Platforms[i])
		if err != nil {
			v.log.Error("a platform cannot be used", "realm", realm.ID, "platform", realm.Platforms[i].Name, "error", err)
			continue
		}
		if p.JWKSURL != "" {
			p.signing = v.published[at{p.Issuer, p.JWKSURL}]
		}
		all.list = append(all.list, p)
	}
	return all
}

// maxSeen bounds the tokens that one realm remembers; each takes under 1 KB.
const maxSeen = 1 << 14

// cache remembers good tokens by SHA-256, as long as the keys are of the same
// version. When it is full, some others make room: only good tokens get in, so a
// stranger cannot flush it.
type cache struct {
	mu      sync.Mutex
	entries map[[32]byte]Identity
	version uint64
}

func (c *cache) get(sum [32]byte, version uint64) (Identity, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.version != version {
		clear(c.entries)
		c.version = version
	}
	i, ok := c.entries[sum]
	return i, ok
}

// put remembers a token that was verified with keys of a version.
func (c *cache) put(sum [32]byte, i Identity, version uint64, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.version != version {
		return
	}
	if c.entries == nil {
		c.entries = make(map[[32]byte]Identity)
	}
	if len(c.entries) >= maxSeen {
		c.shrink(now)
	}
	c.entries[sum] = i
}

// shrink looks at a few entries, in the random order of a map, and drops those
// that expired, or else the last one.
func (c *cache) shrink(now time.Time) {
	const few = 8
	looked := 0
	for sum, i := range c.entries {
		if looked++; !now.Before(i.expires) || looked == few {
			delete(c.entries, sum)
		}
		if looked == few {
			return
		}
	}
}
