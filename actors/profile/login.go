package profile

import (
	"bytes"
	"slices"

	"google.golang.org/protobuf/proto"

	"ssod/actors"
	"ssod/actors/device"
	"ssod/actors/intent"
	"ssod/actors/login"
)

// listLogins returns what the caller finds through the profile: for each MVPD
// the good login that came last, or else the last one there was.
func (s *state) listLogins(m *Logins, at actors.Times) decision {
	c := m.GetCaller()
	if f := s.judge(c); f != Failure_OK {
		return answer(&LoginsReply{Failure: f})
	}
	reply := &LoginsReply{}
	for _, shared := range s.logins {
		l := shared.GetLogin()
		i := slices.IndexFunc(reply.Logins, func(other *login.Login) bool { return other.GetMvpd() == l.GetMvpd() })
		switch {
		case i < 0:
			reply.Logins = append(reply.Logins, l)
		case l.Standing(at.Now) == login.Good || reply.Logins[i].Standing(at.Now) != login.Good:
			reply.Logins[i] = l
		}
	}
	return decision{reply: reply, soft: c.seen(at)}
}

// share takes a copy of a login that a device made under the profile, and makes the
// device a regular member if it is one. The membership that its token named must be
// alive; without a did the identity needs no members. A repeat changes nothing, and a
// login that has ended or was replaced meanwhile is ignored. What the login replaces goes
// in any case: the device has it no more, so it could not be ended there.
func (s *state) share(m *login.Share, at actors.Times) decision {
	id := m.GetLogin().GetId()
	switch {
	case login.Has(s.ended, id) || s.shared(id) != nil:
		return s.without(m.GetReplaced(), &login.ShareReply{}, at)
	case len(m.GetDid()) > 0 && s.alive(digest(m.GetDid()), m.GetMembership()) == nil:
		return s.without(m.GetReplaced(), &login.ShareReply{Refused: true}, at)
	}
	next := s.clone()
	next.makeRoom(m, at)
	next.logins = append(next.logins, &SharedLogin{Login: m.GetLogin(), Device: m.GetOrigin()})
	if by, ok := maker(m.GetOrigin()); ok && next.member(by) != nil {
		next.member(by).kind = MemberType_REGULAR
	}
	return decision{reply: &login.ShareReply{}, next: next}
}

// without drops logins that a device has replaced, and remembers them: their copies may be
// under way still.
func (s *state) without(ids [][]byte, reply *login.ShareReply, at actors.Times) decision {
	if !slices.ContainsFunc(ids, func(id []byte) bool { return !login.Has(s.ended, id) }) {
		return answer(reply)
	}
	next := s.clone()
	for _, id := range ids {
		next.dropLogin(id, at)
	}
	return decision{reply: reply, next: next}
}

// maker is the device that a login was made on, whichever app it was.
func maker(origin *intent.Place) (did [DidSize]byte, ok bool) {
	d, ok := device.IDAt(origin)
	return Did(d.Device), ok
}

// hasLoginOf reports whether a device made one of the logins, member or not.
func (s *state) hasLoginOf(did [DidSize]byte) bool {
	return slices.ContainsFunc(s.logins, func(l *SharedLogin) bool {
		by, ok := maker(l.GetDevice())
		return ok && by == did
	})
}

// makeRoom drops the logins that are over, those that a new one replaces, and the first
// one beyond the limit. It remembers what is replaced: the logins of the same device at
// the same MVPD, and those that the device names because their copies may still be under
// way.
func (s *state) makeRoom(m *login.Share, at actors.Times) {
	replaced := slices.Clone(m.GetReplaced())
	s.logins = slices.DeleteFunc(s.logins, func(l *SharedLogin) bool {
		if l.GetLogin().GetMvpd() == m.GetLogin().GetMvpd() && proto.Equal(l.GetDevice(), m.GetOrigin()) {
			replaced = append(replaced, l.GetLogin().GetId())
			return true
		}
		return l.GetLogin().Over(at)
	})
	for _, id := range replaced {
		s.ended = login.Remember(s.ended, id, at)
	}
	if len(s.logins) >= login.MaxLogins {
		s.logins = s.logins[1:]
	}
}

// endLogin ends one login and tells the device that made it.
func (s *state) endLogin(m *login.End, p *intent.Promises) decision {
	shared := s.shared(m.GetLogin())
	void := shared != nil && m.GetHow() == login.How_INVALIDATED
	if shared == nil && login.Has(s.ended, m.GetLogin()) || void && shared.GetLogin().GetInvalidatedMs() != 0 {
		return answer(&login.EndReply{})
	}
	good := shared.GetLogin().Standing(p.At.Now) == login.Good
	if good {
		p.Add(shared.GetDevice(), m)
	}
	next := s.clone()
	if void {
		next.logins[slices.Index(s.logins, shared)] = &SharedLogin{Login: shared.GetLogin().Invalidate(p.At.Now), Device: shared.GetDevice()}
	} else {
		next.dropLogin(m.GetLogin(), p.At)
	}
	next.open = append(next.open, p.Made()...)
	return decision{reply: &login.EndReply{Ended: good, Open: p.Made()}, next: next}
}

// tellLogin gives a copy what the MVPD says of the viewer now.
func (s *state) tellLogin(m *login.Tell) decision {
	shared := s.shared(m.GetLogin())
	if shared == nil || m.GetNumber() <= shared.GetLogin().GetTold() {
		return answer(&login.TellReply{})
	}
	next := s.clone()
	next.logins[slices.Index(s.logins, shared)] = &SharedLogin{Login: shared.GetLogin().Tell(m), Device: shared.GetDevice()}
	return decision{reply: &login.TellReply{}, next: next}
}

// endAll is what a single logout does to the profile: every login at the MVPD
// goes that was made under it; httpfront/docs/flows.md#single-logout. It is remembered
// by the id of the request, because coming again it would end logins that were made
// meanwhile.
func (s *state) endAll(m *login.EndAll, p *intent.Promises) decision {
	if login.Has(s.ended, p.Request[:]) {
		return answer(&login.EndAllReply{}) // what it promised is in s.open, or done
	}
	next := s.clone()
	next.endAt(m.GetMvpd(), m.GetLogin(), p)
	next.ended = login.Remember(next.ended, m.GetLogin(), p.At) // its copy may be on the way
	next.ended = login.Remember(next.ended, p.Request[:], p.At)
	return decision{reply: &login.EndAllReply{Open: p.Made()}, next: next}
}

// endAt drops all logins at an MVPD and tells the devices that made them, except the one
// that is leaving.
func (s *state) endAt(mvpd string, leaving []byte, p *intent.Promises) {
	before := len(p.Made())
	for _, shared := range slices.Clone(s.logins) {
		l := shared.GetLogin()
		if l.GetMvpd() != mvpd {
			continue
		}
		if l.Standing(p.At.Now) == login.Good && !bytes.Equal(l.GetId(), leaving) {
			p.Add(shared.GetDevice(), &login.End{Mvpd: mvpd, Login: l.GetId()})
		}
		s.dropLogin(l.GetId(), p.At)
	}
	s.open = append(s.open, p.Made()[before:]...)
}

// dropLogin removes a login and remembers that it was ended.
func (s *state) dropLogin(id []byte, at actors.Times) {
	s.logins = slices.DeleteFunc(s.logins, func(l *SharedLogin) bool { return bytes.Equal(l.GetLogin().GetId(), id) })
	s.ended = login.Remember(s.ended, id, at)
}

// settle forgets intents that were carried out.
func (s *state) settle(m *intent.Settle) decision {
	open := intent.Without(s.open, m)
	if len(open) == len(s.open) {
		return answer(&intent.SettleReply{})
	}
	next := s.clone()
	next.open = open
	return decision{reply: &intent.SettleReply{}, next: next}
}

// shared finds a login by its id.
func (s *state) shared(id []byte) *SharedLogin {
	for _, l := range s.logins {
		if bytes.Equal(l.GetLogin().GetId(), id) {
			return l
		}
	}
	return nil
}

// staleLogins reports whether something about logins can be forgotten.
func (s *state) staleLogins(at actors.Times) bool {
	return len(login.Current(s.ended, at)) < len(s.ended) ||
		slices.ContainsFunc(s.logins, func(l *SharedLogin) bool { return l.GetLogin().Over(at) })
}

// forgetLogins drops what has expired.
func (s *state) forgetLogins(at actors.Times) {
	s.ended = login.Current(s.ended, at)
	s.logins = slices.DeleteFunc(s.logins, func(l *SharedLogin) bool { return l.GetLogin().Over(at) })
}
