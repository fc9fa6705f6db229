package device

import (
	"time"

	"google.golang.org/protobuf/proto"

	"ssod/actors/intent"
)

// begin makes a session the current one; httpfront/docs/entitlement.md#create-a-session:
// a new one makes the earlier code invalid.
func (s *State) begin(m *Begin, p *intent.Promises) decision {
	if proto.Equal(s.Session, m.GetSession()) {
		return answer(&BeginReply{})
	}
	if s.current(p.At.Now) && len(s.Open) < intent.Max {
		p.Add(s.Session, &Supersede{})
	}
	next := s.clone()
	next.Session, next.SessionUntilMs = m.GetSession(), m.GetUntilMs()
	next.Open = append(next.Open, p.Made()...)
	return decision{Reply: &BeginReply{Open: p.Made()}, Next: next}
}

// current reports whether the device has a session that can still be used.
func (s *State) current(now time.Time) bool {
	return s.Session != nil && now.UnixMilli() < s.SessionUntilMs
}
