package device

import (
	"bytes"
	"slices"

	"google.golang.org/protobuf/proto"

	"ssod/actors"
	"ssod/actors/grant"
	"ssod/actors/intent"
	"ssod/actors/login"
)

// keep stores a login that was made in a session, and shares it. A repeat changes
// nothing, and a login that has ended meanwhile stays ended.
func (s *State) keep(m *login.Keep, self *intent.Place, p *intent.Promises) decision {
	id := m.GetLogin().GetId()
	switch {
	case s.find(id) != nil || login.Has(s.Ended, id):
		return answer(&login.KeepReply{})
	case !proto.Equal(s.Session, m.GetSession()):
		return answer(&login.KeepReply{Stale: true})
	}
	replaced := s.replacedAt(m.GetLogin().GetMvpd())
	copied := proto.Clone(m.GetLogin()).(*login.Login)
	copied.Source = nil
	for _, to := range m.GetShared() {
		p.Add(to.GetProfile(), &login.Share{
			Login: copied, Origin: self, Did: to.GetDid(), Membership: to.GetMembership(), Replaced: replaced,
		})
	}
	next := s.clone()
	made := &Regular{Login: m.GetLogin(), Shared: m.GetShared(), Grant: m.GetTokens().GetGrant()}
	if made.Grant != nil {
		p.Add(made.Grant, &grant.Keep{
			Sealed: m.GetTokens().GetSealed(), Login: id, Mvpd: m.GetLogin().GetMvpd(), Device: self,
			NotAfterMs: m.GetLogin().GetNotAfterMs(), DueMs: m.GetTokens().GetDueMs(),
		})
	}
	enter(made, self, p)
	for _, old := range next.put(made) {
		old.dropGrant(p)
		if !copiesStay(old, made) {
			remove(old.GetLogin(), p)
		}
	}
	if len(s.Open)+len(p.Made()) > intent.Max {
		return answer(&login.KeepReply{Busy: true})
	}
	next.Open = append(next.Open, p.Made()...)
	return decision{Reply: &login.KeepReply{Open: p.Made()}, Next: next}
}

// dropGrant forgets the tokens of a login that is over.
func (r *Regular) dropGrant(p *intent.Promises) {
	if r.GetGrant() != nil {
		p.Add(r.GetGrant(), &grant.Drop{})
	}
}

// put adds a login in place of the one at the same MVPD. It returns those that had to go.
func (s *State) put(r *Regular) (gone []*Regular) {
	remove := func(is func(old *Regular) bool) {
		s.Logins = slices.DeleteFunc(s.Logins, func(old *Regular) bool {
			if is(old) {
				gone = append(gone, old)
			}
			return is(old)
		})
	}
	remove(func(old *Regular) bool { return old.GetLogin().GetMvpd() == r.GetLogin().GetMvpd() })
	if len(s.Logins) >= login.MaxLogins {
		first := slices.MinFunc(s.Logins, func(a, b *Regular) int {
			return int(a.GetLogin().GetNotAfterMs() - b.GetLogin().GetNotAfterMs())
		})
		remove(func(old *Regular) bool { return old == first })
	}
	s.Logins = append(s.Logins, r)
	return gone
}

// replacedAt are the ids of the logins that a new one at an MVPD replaces: the device's
// own, and those whose copies are still under way.
func (s *State) replacedAt(mvpd string) (ids [][]byte) {
	add := func(l *login.Login) {
		known := slices.ContainsFunc(ids, func(id []byte) bool { return bytes.Equal(id, l.GetId()) })
		if l.GetMvpd() == mvpd && !known {
			ids = append(ids, l.GetId())
		}
	}
	add(s.at(mvpd).GetLogin())
	for _, i := range s.Open {
		share := &login.Share{}
		if i.GetCommand().MessageIs(share) && i.GetCommand().UnmarshalTo(share) == nil { // else: carrying it out reports it
			add(share.GetLogin())
		}
	}
	return ids
}

// find returns the login with an id.
func (s *State) find(id []byte) *Regular {
	for _, r := range s.Logins {
		if bytes.Equal(r.GetLogin().GetId(), id) {
			return r
		}
	}
	return nil
}

// at returns the login at an MVPD.
func (s *State) at(mvpd string) *Regular {
	for _, r := range s.Logins {
		if r.GetLogin().GetMvpd() == mvpd {
			return r
		}
	}
	return nil
}

// list returns all logins.
func (s *State) list() decision {
	reply := &LoginsReply{}
	for _, r := range s.Logins {
		reply.Logins = append(reply.Logins, r.GetLogin())
	}
	return answer(reply)
}

// end ends one login and tells the profiles that have copies: those that the device knows
// of, or, when it has another login by now, those that the command names.
func (s *State) end(m *login.End, p *intent.Promises) decision {
	r := s.find(m.GetLogin())
	if r == nil && login.Has(s.Ended, m.GetLogin()) && len(m.GetCopies()) == 0 || r.GetLogin().GetInvalidatedMs() != 0 && m.GetHow() == login.How_INVALIDATED {
		return answer(&login.EndReply{})
	}
	next := s.clone()
	ended := next.drop(m.GetLogin(), m.GetHow(), p.At)
	if r.GetLogin().Standing(p.At.Now) == login.Good {
		for _, to := range r.GetShared() {
			p.Add(to.GetProfile(), &login.End{Mvpd: m.GetMvpd(), Login: m.GetLogin(), How: m.GetHow()})
		}
	}
	r.dropGrant(p)
	if r == nil {
		for _, copied := range m.GetCopies() {
			p.Add(copied, &login.End{Mvpd: m.GetMvpd(), Login: m.GetLogin(), How: m.GetHow()})
		}
	}
	remove(r.GetLogin(), p)
	next.Open = append(next.Open, p.Made()...)
	return decision{Reply: &login.EndReply{Ended: ended, Open: p.Made()}, Next: next}
}

// drop removes a login or marks it void, and remembers that. It reports whether
// the login was good until now.
func (s *State) drop(id []byte, how login.How, at actors.Times) bool {
	r := s.find(id)
	good := r.GetLogin().Standing(at.Now) == login.Good
	if how == login.How_INVALIDATED && r != nil {
		r.Login, r.Grant = r.Login.Invalidate(at.Now), nil
		return good
	}
	s.Logins = slices.DeleteFunc(s.Logins, func(old *Regular) bool { return old == r })
	s.Ended = login.Remember(s.Ended, id, at)
	return good
}

// tell gives a login what the MVPD says of the viewer now, here and in its copies. One
// that came after a later one changes nothing.
func (s *State) tell(m *login.Tell, p *intent.Promises) decision {
	r := s.find(m.GetLogin())
	if r == nil || m.GetNumber() <= r.GetLogin().GetTold() || len(s.Open)+len(r.GetShared()) > intent.Max {
		return answer(&login.TellReply{})
	}
	for _, to := range r.GetShared() {
		p.Add(to.GetProfile(), m)
	}
	next := s.clone()
	of := next.find(m.GetLogin())
	of.Login = of.Login.Tell(m)
	next.Open = append(next.Open, p.Made()...)
	return decision{Reply: &login.TellReply{Open: p.Made()}, Next: next}
}
