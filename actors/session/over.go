package session

import (
	"time"

	"google.golang.org/protobuf/proto"

	"ssod/actors"
	"ssod/actors/device"
	"ssod/actors/intent"
	"ssod/cluster"
)

// remembered is how long a session is kept after its end.
const remembered = time.Hour

// supersede ends a session because the device has begun a later one;
// httpfront/docs/entitlement.md#create-a-session.
func (s *State) supersede() decision {
	if !s.exists() || s.GetStage() == Stage_SUPERSEDED {
		return answer(&device.SupersedeReply{})
	}
	next := s.clone()
	next.Stage = Stage_SUPERSEDED
	return decision{Reply: &device.SupersedeReply{}, Next: next}
}

// settle forgets intents that were carried out.
func (s *State) settle(m *intent.Settle) decision {
	open := intent.Without(s.GetOpen(), m)
	if len(open) == len(s.GetOpen()) {
		return answer(&intent.SettleReply{})
	}
	next := s.clone()
	next.Open = open
	return decision{Reply: &intent.SettleReply{}, Next: next}
}

// sweep looks at a stored session and returns a command when there is something
// to carry out or the session can go.
func sweep(h cluster.Head, at actors.Times) proto.Message {
	s, err := intent.Decode[State](h)
	switch {
	case err != nil: // activation reports it; sweeping cannot help
		return nil
	case intent.Overdue(s.GetOpen(), at.Now):
		return &intent.Resume{}
	case s.Cut(at):
		return &Expire{Cut: true}
	case s.over(at.Now):
		return &Expire{}
	}
	return nil
}

func (s *State) expire(m *Expire, now time.Time) decision {
	if m.GetCut() && s.exists() && !s.over(now) {
		return decision{Reply: &ExpireReply{}, Next: s.clone()} // as it was cut when it was loaded
	}
	if !s.over(now) {
		return answer(&ExpireReply{})
	}
	return decision{Reply: &ExpireReply{}, Next: &State{}}
}

// over reports whether the session can be forgotten.
func (s *State) over(now time.Time) bool {
	return s.exists() && len(s.GetOpen()) == 0 && now.UnixMilli() >= s.GetNotAfterMs()+remembered.Milliseconds()
}
