package entitlement

import (
	"errors"
	"hash/maphash"
	"net/netip"
	"slices"
	"sync"
	"time"

	"ssod/actors/session"
	"ssod/httpfront/api"
	"ssod/httpfront/throttle"
)

// The guess budget of codes: how many different unknown ones an address may ask for, and in
// what time.
const (
	maxGuesses  = 60
	guessWindow = 15 * time.Minute
	// maxGuessers bounds the addresses that are remembered; with all of their
	// guesses they take some 20 MB. Over it half of them are forgotten early, to
	// the advantage of those.
	maxGuessers = 1 << 15
)

// guesses counts look-ups of unknown codes by address, an IPv6 address by its /64, on this
// node. The same code counts once, so a TV that goes on polling an old one does not affect
// others at its address. It is safe for concurrent use.
type guesses struct {
	seed maphash.Seed
	most int // addresses

	mu sync.Mutex
	by map[netip.Addr][]guess // oldest first
}

// guess is an unknown code.
type guess struct {
	code uint32 // a hash: two codes of one address in many million collide
	at   uint32 // Unix seconds
}

func newGuesses(most int) *guesses {
	return &guesses{seed: maphash.MakeSeed(), most: most, by: make(map[netip.Addr][]guess)}
}

// wait is how long an address may not ask for a code, because it has asked for too many
// other unknown ones; 0: it may.
func (g *guesses) wait(a netip.Addr, id session.ID, now time.Time) time.Duration {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.left(throttle.Client(a), g.hash(id), now)
}

// missed notes an unknown code. It returns what wait would have returned before.
func (g *guesses) missed(a netip.Addr, id session.ID, now time.Time) time.Duration {
	g.mu.Lock()
	defer g.mu.Unlock()
	a = throttle.Client(a)
	code := g.hash(id)
	if left := g.left(a, code, now); left > 0 || contains(g.by[a], code) {
		return left
	}
	if _, known := g.by[a]; !known && len(g.by) >= g.most {
		g.forget(now)
	}
	g.by[a] = append(g.by[a], guess{code, uint32(now.Unix())})
	return 0
}

func (g *guesses) hash(id session.ID) uint32 { return uint32(maphash.Comparable(g.seed, id)) }

// left drops what is too old to count, and returns until when the rest is too much.
func (g *guesses) left(a netip.Addr, code uint32, now time.Time) time.Duration {
	made := g.by[a]
	for len(made) > 0 && age(made[0], now) >= guessWindow {
		made = made[1:]
	}
	switch {
	case len(made) == 0:
		delete(g.by, a)
		return 0
	case len(made) < len(g.by[a]):
		g.by[a] = append(make([]guess, 0, len(made)+1), made...)
	}
	if len(made) < maxGuesses || contains(made, code) {
		return 0
	}
	return guessWindow - age(made[0], now)
}

// age is how long ago a guess was made; a clock that was set back makes it a new
// one.
func age(g guess, now time.Time) time.Duration {
	return max(0, time.Duration(now.Unix()-int64(g.at))*time.Second)
}

func contains(made []guess, code uint32) bool {
	return slices.ContainsFunc(made, func(g guess) bool { return g.code == code })
}

// forget makes room: addresses whose guesses are all too old, and half of the
// others when there are still too many. Go's map order is random enough to choose.
func (g *guesses) forget(now time.Time) {
	for a, made := range g.by {
		if age(made[len(made)-1], now) >= guessWindow {
			delete(g.by, a)
		}
	}
	if len(g.by) < g.most {
		return
	}
	drop := len(g.by) / 2
	for a := range g.by {
		if drop--; drop < 0 {
			return
		}
		delete(g.by, a)
	}
}

// lookUp asks for a session by its code, on the budget of the address. A found one does
// not count. Concurrent guesses learn no more than sequential ones: an answer that comes
// after the budget is spent is withheld.
func lookUp[R any](s *Service, r *api.Request, id session.ID, ask func() (R, error)) (R, error) {
	var none R
	if wait := s.guesses.wait(r.Address, id, r.Received); wait > 0 {
		return none, &api.UnknownCodesError{RetryAfter: wait}
	}
	reply, err := ask()
	look := s.guesses.wait
	if errors.Is(err, session.ErrUnknown) {
		look = s.guesses.missed
	}
	if wait := look(r.Address, id, r.Received); wait > 0 {
		return none, &api.UnknownCodesError{RetryAfter: wait}
	}
	return reply, err
}
