package upstream

import (
	"slices"

	"google.golang.org/protobuf/proto"

	"ssod/actors"
	"ssod/actors/intent"
	"ssod/actors/login"
	"ssod/cluster"
)

// sweep looks at a stored entity and returns a command when there is something to drop or
// to carry out.
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
	next.dropExpired(at)
	next.Removed = login.Current(next.Removed, at)
	gone := len(s.Logins) - len(next.Logins) + len(s.Removed) - len(next.Removed)
	if s.End != nil && at.Over().UnixMilli() >= s.End.GetUntilMs() {
		next.End = nil
		gone++
	}
	if gone == 0 {
		return nil
	}
	return next
}

// Cut implements [intent.Cuts]: after the time was set back nothing is remembered for
// longer than it would be if it happened now. An entry that stays longer than its login is
// in nobody's way.
func (s *State) Cut(at actors.Times) (did bool) {
	if limit := at.Seen().Add(Overtaking).UnixMilli(); s.GetEnd().GetUntilMs() > limit {
		s.End.UntilMs, did = limit, true
	}
	var removed, open bool
	s.Removed, removed = login.CutEnded(s.Removed, at)
	s.Open, open = intent.Cut(s.Open, at)
	return did || removed || open
}

// Restored is what a new cluster takes over of a stored entity: all of it but what erased
// entities have, so that the provider can end the logins there too. Where nothing else is
// left the entity does not stay.
func Restored(h cluster.Head, r *actors.Restore) (_ cluster.Head, stays bool, err error) {
	s, err := intent.Decode[State](h)
	if err != nil {
		return h, false, err
	}
	had := len(s.Logins)
	erased := func(p *intent.Place) bool { return r.Erased(p.Address()) }
	s.Logins = slices.DeleteFunc(s.Logins, func(e *Entry) bool { return erased(e.GetDevice()) })
	for _, e := range s.Logins {
		e.Copies = slices.DeleteFunc(e.Copies, erased)
	}
	s.Open = intent.Restored(s.Open, r)
	if had > 0 && len(s.Logins) == 0 && len(s.Open) == 0 {
		return h, false, nil
	}
	h.State, err = proto.MarshalOptions{Deterministic: true}.Marshal(s)
	return h, true, err
}
