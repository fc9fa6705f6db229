package keys

import (
	"cmp"
	"maps"
	"slices"
	"time"
)

// State is where a key is in its life.
type State string

// The states of a key, in order.
const (
	Published State = "published" // known everywhere, not used yet
	Signing   State = "signing"
	Retired   State = "retired" // verifies what it signed until that expires
	Revoked   State = "revoked"
)

// Info is what an operator may know about a key: never the key.
type Info struct {
	ID        string     `json:"kid"`
	Use       Use        `json:"use"`
	Realm     string     `json:"realm,omitempty"`
	Algorithm string     `json:"algorithm,omitempty"`
	State     State      `json:"state"`
	Created   time.Time  `json:"created"`
	SignFrom  time.Time  `json:"signFrom"`
	Until     *time.Time `json:"verifiesUntil,omitempty"` // nil: no end in sight
	Revoked   *time.Time `json:"revoked,omitempty"`
}

// List describes all keys, by use and realm, each group in the order in which
// its keys sign.
func (r *Ring) List() []Info {
	s, now := r.snapshot(), r.now()
	order := slices.SortedFunc(maps.Keys(s.groups), func(a, b groupID) int {
		return cmp.Or(cmp.Compare(a.use, b.use), cmp.Compare(a.realm, b.realm))
	})
	list := make([]Info, 0, len(s.byID))
	for _, of := range order {
		g := s.groups[of]
		signing := g.signing(now)
		for _, slot := range g.slots {
			list = append(list, slot.info(signing, now))
		}
	}
	return list
}

func (s *slot) info(signing *slot, now time.Time) Info {
	i := Info{
		ID: s.id, Use: s.use, Realm: s.realm, Algorithm: s.algorithm, State: s.state(signing, now),
		Created: s.created, SignFrom: s.signFrom,
	}
	if !s.until.IsZero() {
		i.Until = &s.until
	}
	if s.isRevoked() {
		i.Revoked = &s.revoked
	}
	return i
}

func (s *slot) state(signing *slot, now time.Time) State {
	switch {
	case s.isRevoked():
		return Revoked
	case s == signing:
		return Signing
	case s.signFrom.After(now):
		return Published
	default:
		return Retired
	}
}
