package keys

import (
	"cmp"
	"slices"
	"time"

	"ssod/httpfront/config"
	"ssod/httpfront/token/jose"
)

// MaxKeys is how many keys there are that verify of one use, of a realm or of the
// cluster. What they sign ends, and then so do they: there is room again.
const MaxKeys = 64

// MaxLasting is the same for the uses whose keys verify for ever, because statements and
// clients never expire: one more each day for eleven years.
const MaxLasting = 4096

// skew is how far the clocks of two honest machines may be apart
// (httpfront/docs/limits.md#lifetimes).
const skew = jose.Skew

// groupID names the keys that follow one another in one use.
type groupID struct {
	use   Use
	realm string
}

func (g groupID) String() string {
	if g.realm == "" {
		return string(g.use)
	}
	return string(g.use) + " of realm " + g.realm
}

// room is how many keys that verify the group may have.
func (g groupID) room() int {
	if g.use == Client || g.use == Statement {
		return MaxLasting
	}
	return MaxKeys
}

// forever is the life of what does not expire.
const forever time.Duration = -1

// courtesy is how long an expired access token is still recognised: "expired" tells a
// client more than "unauthorized".
const courtesy = 24 * time.Hour

// life is how long what the group's keys sign must be verifiable.
func (g groupID) life(cfg *config.Config) time.Duration {
	if g.use == Access {
		return cfg.AccessToken.TTL + courtesy
	}
	realm, configured := cfg.Realm(g.realm)
	switch {
	case !configured:
	case g.use == Service:
		return realm.ServiceToken.TTL + realm.ServiceToken.RefreshWindow
	case g.use == Media:
		return realm.MediaToken.TTL
	case g.use == Audit:
		return 0 // nobody looks a viewer up by it
	}
	return forever
}

// slot is a key in its place among its group's.
type slot struct {
	*key
	// until is when the key verifies no more, because its successor has long
	// taken over; zero when that is not known yet.
	until time.Time
}

// verifies reports whether the key is good for verifying. A published key is:
// another node's clock may be ahead.
func (s *slot) verifies(now time.Time) bool {
	return !s.isRevoked() && (s.until.IsZero() || now.Before(s.until))
}

// group is all keys of one use and realm in the order in which they sign,
// revoked ones included.
type group struct {
	slots []*slot
}

func newGroup(keys []*key, life time.Duration) *group {
	slices.SortFunc(keys, func(a, b *key) int {
		return cmp.Or(a.signFrom.Compare(b.signFrom), cmp.Compare(a.number, b.number), cmp.Compare(a.id, b.id))
	})
	g := &group{slots: make([]*slot, len(keys))}
	var successor *key
	for i := len(keys) - 1; i >= 0; i-- {
		g.slots[i] = &slot{key: keys[i]}
		if successor != nil && life != forever {
			g.slots[i].until = successor.signFrom.Add(life + skew)
		}
		if keys[i].served() {
			successor = keys[i]
		}
	}
	return g
}

// signing is the key that signs now: the last one whose time has come. Where
// this node's clock is behind everybody's, it is the first.
func (g *group) signing(now time.Time) *slot {
	if g == nil {
		return nil
	}
	var first *slot
	for i := len(g.slots) - 1; i >= 0; i-- {
		if s := g.slots[i]; !s.isRevoked() {
			if !s.signFrom.After(now) {
				return s
			}
			first = s
		}
	}
	return first
}

// oldest is the key that verifies tokens which name none.
func (g *group) oldest() *slot {
	if g == nil {
		return nil
	}
	for _, s := range g.slots {
		if !s.isRevoked() {
			return s
		}
	}
	return nil
}

// newest is the key that signs last of all.
func (g *group) newest() *slot {
	if g == nil {
		return nil
	}
	for _, s := range slices.Backward(g.slots) {
		if !s.isRevoked() {
			return s
		}
	}
	return nil
}

// plural reports whether there was ever more than one key.
func (g *group) plural() bool {
	return len(g.slots) > 1 || g.slots[0].number > 1
}

// next is the number of the group's next key.
func (g *group) next() int64 {
	next := int64(1)
	if g != nil {
		for _, s := range g.slots {
			next = max(next, s.number+1)
		}
	}
	return next
}

// count is how many keys the group has that verify, or will.
func (g *group) count(now time.Time) (n int) {
	if g != nil {
		for _, s := range g.slots {
			if s.verifies(now) {
				n++
			}
		}
	}
	return n
}

// relief says when there is room for another key, if that is known.
func (g *group) relief() string {
	for _, s := range g.slots {
		if !s.isRevoked() && !s.until.IsZero() {
			return " until " + s.until.Format(time.RFC3339)
		}
	}
	return ""
}

// madeFor reports whether a rotation has given the group a key.
func (g *group) madeFor(order string) bool {
	return g != nil && slices.ContainsFunc(g.slots, func(s *slot) bool { return s.order == order })
}

// memory is how long a revoked key is listed at least.
const memory = 24 * time.Hour

// forgotten reports whether a key can be deleted: it can neither verify
// anything nor explain to an operator what happened to it.
func (s *slot) forgotten(now time.Time, life time.Duration) bool {
	if s.isRevoked() {
		return now.After(s.revoked.Add(max(life, memory)))
	}
	return !s.until.IsZero() && now.After(s.until)
}
