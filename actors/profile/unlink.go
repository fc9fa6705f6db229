package profile

import (
	"time"

	"ssod/actors"
	"ssod/actors/intent"
	"ssod/actors/login"
)

// unlink removes devices from the profile; httpfront/docs/sso.md#unlink-devices. What is
// no member is left out without an error.
func (s *state) unlink(m *Unlink, at actors.Times) decision {
	c := m.GetCaller()
	if f := s.judge(c); f != Failure_OK {
		return answer(&UnlinkReply{Failure: f})
	}
	devices, removed := s.match(m.GetDevices())
	if len(devices) == 0 {
		return decision{reply: &UnlinkReply{}, soft: c.seen(at)}
	}
	next := s.clone()
	if see := c.seen(at); see != nil {
		see(next)
	}
	freed := next.drop(devices, at)
	next.entomb(m.GetTombstoneMs(), at)
	return decision{reply: &UnlinkReply{Removed: removed, Freed: freed}, next: next}
}

// match finds the members that a client's spellings name. A spelling names the
// first of its candidates that is a member; a device named twice counts once.
func (s *state) match(spellings []*Candidates) (devices map[[DidSize]byte]bool, removed []int32) {
	devices = make(map[[DidSize]byte]bool)
	for i, spelling := range spellings {
		for _, id := range spelling.GetId() {
			did := Did(id)
			if s.member(did) == nil {
				continue
			}
			if !devices[did] {
				devices[did] = true
				removed = append(removed, int32(i))
			}
			break
		}
	}
	return devices, removed
}

// entomb keeps a profile that lost its last member for as long as its tokens can live, so
// that one founded again never revives them. The logins that the members shared are
// dropped: its next founder need not be one of them.
func (s *state) entomb(ms int64, at actors.Times) {
	if len(s.members) > 0 {
		return
	}
	for _, shared := range s.logins {
		s.ended = login.Remember(s.ended, shared.GetLogin().GetId(), at)
	}
	s.logins, s.codes = nil, nil
	s.keepUntil = at.Seen().UnixMilli() + ms
}

// erase removes the members, and ends the logins at MVPDs that were made under the
// profile; or one member only. What is left of a profile without members is
// forgotten with the next command.
func (s *state) erase(m *Erase, tombstone time.Duration, p *intent.Promises) decision {
	if len(m.GetDevice()) > 0 {
		return s.eraseMember(Did(m.GetDevice()), tombstone, p.At)
	}
	if len(s.members) == 0 && len(s.logins) == 0 && len(s.codes) == 0 {
		return answer(&EraseReply{})
	}
	next := s.clone()
	next.members = nil
	freed := next.cancel(func(*code) bool { return true }, p.At)
	for _, shared := range s.logins {
		next.endAt(shared.GetLogin().GetMvpd(), nil, p)
	}
	next.entomb(tombstone.Milliseconds(), p.At)
	return decision{reply: &EraseReply{Members: int32(len(s.members)), Freed: freed, Open: p.Made()}, next: next}
}

// eraseMember removes one member, or a device that waits to become one; its code is free
// for others then.
func (s *state) eraseMember(did [DidSize]byte, tombstone time.Duration, at actors.Times) decision {
	member := s.member(did) != nil
	if !member && !s.waits(did) {
		return answer(&EraseReply{})
	}
	next, reply := s.clone(), &EraseReply{}
	for i := range next.codes {
		if c := &next.codes[i]; c.guest != nil && c.guest.did == did {
			c.guest = nil
		}
	}
	if member {
		reply.Members, reply.Freed = 1, next.drop(map[[DidSize]byte]bool{did: true}, at)
		next.entomb(tombstone.Milliseconds(), at)
	}
	return decision{reply: reply, next: next, forget: true}
}

// vanish removes the record of a profile without members, and its outcomes. No tombstone
// is needed: a profile that is founded again numbers its members by the time, so once
// that is past the last number, no token of the earlier one is valid. A profile in use,
// or with open intents, is busy.
func (s *state) vanish(at actors.Times) decision {
	switch {
	case len(s.members) > 0 || len(s.logins) > 0 || len(s.open) > 0 || at.Now.UnixMilli() <= s.lastMembership:
		return answer(&intent.ForgetReply{Busy: true})
	case s.empty():
		return answer(&intent.ForgetReply{})
	}
	return decision{reply: &intent.ForgetReply{}, next: &state{}, remove: true, forget: true}
}

// empty reports whether nothing is stored of the profile.
func (s *state) empty() bool {
	kept := len(s.members) + len(s.codes) + len(s.issued) + len(s.logins) + len(s.ended) + len(s.open)
	return kept == 0 && s.lastMembership == 0 && s.keepUntil == 0 && s.unknown == ""
}
