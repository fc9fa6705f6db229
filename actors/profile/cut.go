package profile

import (
	"slices"

	"ssod/actors"
	"ssod/actors/intent"
	"ssod/actors/login"
)

// cut adapts a stored profile to a shard time that was set back since it was written: what
// is later than now is made now. Members, membership numbers and the record of a profile
// without members stay; unused link codes of the future are dropped. It reports whether it
// changed anything.
func (s *state) cut(at actors.Times) (did bool) {
	now := at.Now.UnixMilli()
	back := func(ms *int64, limit int64) {
		did = did || *ms > limit
		*ms = min(*ms, limit)
	}
	for i := range s.members {
		back(&s.members[i].lastSeen, at.Seen().UnixMilli())
	}
	before := len(s.codes)
	s.codes = slices.DeleteFunc(s.codes, func(c code) bool { return c.used == 0 && c.notBefore > now+actors.Skew.Milliseconds() })
	did = did || len(s.codes) < before
	for i := range s.codes {
		c := &s.codes[i]
		back(&c.used, now)
		back(&c.ended, now)
		if c.guest != nil && c.guest.seen > now {
			c.guest, did = c.guest.seenAt(now), true
		}
	}
	for i := range s.issued {
		back(&s.issued[i], now)
	}
	var ended, open bool
	s.ended, ended = login.CutEnded(s.ended, at)
	s.open, open = intent.Cut(s.open, at)
	return s.cutLogins(at) || ended || open || did
}

func (s *state) cutLogins(at actors.Times) (did bool) {
	for i, shared := range s.logins {
		if l := shared.GetLogin().Cut(at); l != shared.GetLogin() {
			s.logins[i] = &SharedLogin{Login: l, Device: shared.GetDevice()}
			did = true
		}
	}
	return did
}
