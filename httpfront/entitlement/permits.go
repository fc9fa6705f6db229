package entitlement

import (
	"sync"
	"time"
)

// permitKey is what an MVPD permitted: a resource of a channel, under one login.
type permitKey struct {
	login           [16]byte
	serviceProvider string
	resource        string
	informs         bool // by a preauthorization, which permits no playing
}

// permit is for how long.
type permit struct{ notBefore, notAfter time.Time }

// permits remembers what was permitted until its time is up, and no more than a
// number of them. It has two generations: when the younger one is full the older
// one is forgotten. A permit is of use only together with its login, so nothing
// has to be taken out when a login ends.
type permits struct {
	mu         sync.Mutex
	young, old map[permitKey]permit
	most       int // of one generation
}

func newPermits(most int) *permits {
	return &permits{young: make(map[permitKey]permit), most: max(1, most/2)}
}

// get finds a permit that is good now.
func (p *permits) get(k permitKey, now time.Time) (permit, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	found, ok := p.young[k]
	if !ok {
		found, ok = p.old[k]
	}
	return found, ok && now.Before(found.notAfter)
}

// put remembers a permit.
func (p *permits) put(k permitKey, until permit) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.young) >= p.most {
		p.young, p.old = make(map[permitKey]permit), p.young
	}
	p.young[k] = until
}
