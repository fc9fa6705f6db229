package upstream

import (
	"bytes"
	"slices"
	"time"

	"ssod/actors"
	"ssod/actors/intent"
	"ssod/actors/login"
	"ssod/cluster"
)

const (
	// Max is how many logins an entity knows.
	Max = 64
	// Overtaking is for how long an End is remembered, for logins that it overtook.
	Overtaking = 10 * time.Minute
)

// enter adds a login. A repeat changes nothing, and one that has ended already is not
// entered again. One that the provider has ended since is ended.
func (s *State) enter(m *Enter, by By, p *intent.Promises) decision {
	e := m.GetLogin()
	if s.find(e.GetLogin()) != nil || login.Has(s.Removed, e.GetLogin()) || e.over(p.At) {
		return answer(&EnterReply{})
	}
	next := s.clone()
	next.dropExpired(p.At)
	next.Logins = append(next.Logins, e)
	switch {
	case s.overtaken(e, by, p.At):
		next.finish(e, true, p)
	case len(next.Logins) > Max:
		next.finish(slices.MinFunc(next.Logins, byIssue), false, p)
	}
	if !s.room(p) {
		return answer(&EnterReply{Busy: true})
	}
	next.Open = append(next.Open, p.Made()...)
	return decision{Reply: &EnterReply{Open: p.Made()}, Next: next}
}

// room reports whether the intents that a decision made can be kept.
func (s *State) room(p *intent.Promises) bool { return len(s.Open)+len(p.Made()) <= intent.Max }

func byIssue(a, b *Entry) int { return int(a.GetIssuedMs() - b.GetIssuedMs()) }

// overtaken reports whether the provider ended a login before it was entered. Times of
// providers have whole seconds, so they do not tell a viewer who logs in again at once from
// one who logged out: an end that found logins is not meant for one that begins later.
func (s *State) overtaken(e *Entry, by By, at actors.Times) bool {
	end := s.GetEnd()
	issued := e.GetIssuedMs() <= end.GetIssuedMs()
	switch {
	case at.Over().UnixMilli() >= end.GetUntilMs():
		return false
	case e.GetBegunMs() <= end.GetHeardMs():
		return issued || by == Session // whose answer may be redeemed, and so issued, later
	default:
		return issued && !end.GetFound()
	}
}

// finish ends a login wherever it is, because the provider did or not, and drops it.
func (s *State) finish(e *Entry, provider bool, p *intent.Promises) {
	p.Add(e.GetDevice(), &login.End{Mvpd: e.GetMvpd(), Login: e.GetLogin(), Copies: e.GetCopies(), Provider: provider})
	s.drop(e.GetLogin(), p.At)
}

// drop removes a login, and remembers that for an Enter that comes later, or again.
func (s *State) drop(id []byte, at actors.Times) {
	s.Logins = slices.DeleteFunc(s.Logins, func(e *Entry) bool { return bytes.Equal(e.GetLogin(), id) })
	s.Removed = login.Remember(s.Removed, id, at)
}

// remove drops a login that has ended without the provider.
func (s *State) remove(m *Remove, at actors.Times) decision {
	if s.find(m.GetLogin()) == nil && login.Has(s.Removed, m.GetLogin()) {
		return answer(&RemoveReply{})
	}
	next := s.clone()
	next.drop(m.GetLogin(), at)
	return decision{Reply: &RemoveReply{}, Next: next}
}

// end ends the logins that were issued up to then, and remembers the time. Coming again it
// finds nothing to do.
func (s *State) end(m *End, p *intent.Promises) decision {
	meant := slices.Clone(s.Logins)
	meant = slices.DeleteFunc(meant, func(e *Entry) bool { return e.GetIssuedMs() > m.GetIssuedMs() || e.over(p.At) })
	known := p.At.Over().UnixMilli() < s.GetEnd().GetUntilMs() && m.GetIssuedMs() <= s.GetEnd().GetIssuedMs()
	if len(meant) == 0 && known {
		return answer(&EndReply{})
	}
	next := s.clone()
	for _, e := range meant {
		next.finish(e, true, p)
	}
	if !s.room(p) {
		return answer(&EndReply{Busy: true})
	}
	if !known {
		next.End = &Ended{
			IssuedMs: max(m.GetIssuedMs(), s.GetEnd().GetIssuedMs()), UntilMs: p.At.Seen().Add(Overtaking).UnixMilli(),
			HeardMs: m.GetHeardMs(), Found: len(meant) > 0 || s.GetEnd().GetFound(),
		}
	}
	next.Open = append(next.Open, p.Made()...)
	return decision{Reply: &EndReply{Ended: int32(len(meant)), Open: p.Made()}, Next: next}
}

// erase ends the logins that were made on a device, by whichever app.
func (s *State) erase(m *Erase, p *intent.Promises) decision {
	next := s.clone()
	for _, e := range s.Logins {
		if e.madeOn(m.GetDevice()) {
			next.finish(e, false, p)
		}
	}
	switch {
	case len(next.Logins) == len(s.Logins):
		return answer(&EraseReply{})
	case !s.room(p):
		return answer(&EraseReply{Busy: true})
	}
	next.Open = append(next.Open, p.Made()...)
	return decision{Reply: &EraseReply{Open: p.Made()}, Next: next}
}

func (e *Entry) madeOn(id []byte) bool {
	parts := e.GetDevice().GetIdentity() // service provider, client, device
	return len(parts) == 3 && bytes.Equal(parts[2], id)
}

// HasDevice reports whether a stored entity has a login that was made on a device.
func HasDevice(h cluster.Head, id []byte) bool {
	s, err := intent.Decode[State](h)
	return err == nil && slices.ContainsFunc(s.Logins, func(e *Entry) bool { return e.madeOn(id) })
}

// find returns the login with an id.
func (s *State) find(id []byte) *Entry {
	for _, e := range s.Logins {
		if bytes.Equal(e.GetLogin(), id) {
			return e
		}
	}
	return nil
}

// over reports whether the login has expired.
func (e *Entry) over(at actors.Times) bool { return at.Over().UnixMilli() >= e.GetNotAfterMs() }

func (s *State) dropExpired(at actors.Times) {
	s.Logins = slices.DeleteFunc(s.Logins, func(e *Entry) bool { return e.over(at) })
}
