package device

import (
	"slices"
	"time"

	"google.golang.org/protobuf/proto"

	"ssod/actors/intent"
	"ssod/actors/login"
	"ssod/cluster"
)

// sweep looks at a stored device and returns a command when there is something
// to drop or to carry out.
func sweep(h cluster.Head, now time.Time) proto.Message {
	s, err := intent.Decode[State](h)
	switch {
	case err != nil: // activation reports it; sweeping cannot help
		return nil
	case intent.Overdue(s.Open, now):
		return &intent.Resume{}
	case s.expired(now) != nil:
		return &Expire{}
	}
	return nil
}

func (s *State) expire(now time.Time) decision {
	return decision{Reply: &ExpireReply{}, Next: s.expired(now)}
}

// expired returns the state without what is over; nil when nothing is.
func (s *State) expired(now time.Time) *State {
	next := s.clone()
	next.Logins = slices.DeleteFunc(next.Logins, func(r *Regular) bool { return r.GetLogin().Over(now) })
	next.Ended = login.Current(next.Ended, now)
	gone := len(s.Logins) - len(next.Logins) + len(s.Ended) - len(next.Ended)
	if next.Session != nil && !next.current(now) && len(next.Logins) == 0 {
		next.Session, next.SessionUntilMs = nil, 0
		gone++
	}
	if gone == 0 {
		return nil
	}
	return next
}
