package device

import (
	"slices"

	"google.golang.org/protobuf/proto"

	"ssod/actors"
	"ssod/actors/intent"
	"ssod/actors/login"
	"ssod/cluster"
)

// sweep looks at a stored device and returns a command when there is something
// to drop or to carry out.
func sweep(h cluster.Head, at actors.Times) proto.Message {
	s, err := intent.Decode[State](h)
	switch {
	case err != nil: // activation reports it; sweeping cannot help
		return nil
	case intent.Overdue(s.Open, at.Now):
		return &intent.Resume{}
	case s.Cut(at):
		return &Expire{Cut: true}
	case s.expired(at) != nil:
		return &Expire{}
	}
	return nil
}

func (s *State) expire(m *Expire, at actors.Times) decision {
	next := s.expired(at)
	if next == nil && m.GetCut() {
		next = s.clone()
	}
	return decision{Reply: &ExpireReply{}, Next: next}
}

// expired returns the state without what is over; nil when nothing is.
func (s *State) expired(at actors.Times) *State {
	next := s.clone()
	next.Logins = slices.DeleteFunc(next.Logins, func(r *Regular) bool { return r.GetLogin().Over(at) })
	next.Ended = login.Current(next.Ended, at)
	gone := len(s.Logins) - len(next.Logins) + len(s.Ended) - len(next.Ended)
	if next.Session != nil && !next.current(at.Now) && len(next.Logins) == 0 {
		next.Session, next.SessionUntilMs = nil, 0
		gone++
	}
	if gone == 0 {
		return nil
	}
	return next
}
