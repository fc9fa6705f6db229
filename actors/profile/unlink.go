package profile

import (
	"ssod/actors"
	"ssod/actors/intent"
	"ssod/actors/login"
)

// unlink removes devices from the profile; sso-service.md 2.4. What is no
// member is left out without an error.
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

// entomb keeps a profile that lost its last member for as long as its tokens
// can live, so that one founded again never revives them. The logins that the
// members shared are dropped: whoever founds it again need not be one of them.
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

// erase removes everything but what keeps old tokens void, and ends the logins
// at MVPDs that were made under the profile.
func (s *state) erase(m *Erase, p *intent.Promises) decision {
	if len(s.members) == 0 && len(s.logins) == 0 {
		return answer(&EraseReply{})
	}
	next := s.clone()
	next.members = nil
	freed := next.cancel(func(*code) bool { return true }, p.At)
	for _, shared := range s.logins {
		next.endAt(shared.GetLogin().GetMvpd(), nil, p)
	}
	next.entomb(m.GetTombstoneMs(), p.At)
	return decision{reply: &EraseReply{Members: int32(len(s.members)), Freed: freed, Open: p.Made()}, next: next}
}
