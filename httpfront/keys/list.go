package keys

import (
	"cmp"
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

// List describes all keys, by use, realm and age.
func (r *Ring) List() []Info {
	s, now := r.snapshot(), r.now()
	list := make([]Info, 0, len(s.byID))
	for _, g := range s.groups {
		signing := g.signing(now)
		for _, slot := range g.slots {
			list = append(list, slot.info(signing, now))
		}
	}
	slices.SortFunc(list, func(a, b Info) int {
		return cmp.Or(cmp.Compare(a.Use, b.Use), cmp.Compare(a.Realm, b.Realm),
			a.SignFrom.Compare(b.SignFrom), a.Created.Compare(b.Created), cmp.Compare(a.ID, b.ID))
	})
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
