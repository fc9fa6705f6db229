package grant

import (
	"time"

	"ssod/actors"
	"ssod/actors/intent"
)

// remembered is how long a grant that is over is remembered: longer than an intent can be
// under way.
const remembered = 24 * time.Hour

// keep begins a grant. A repeat changes nothing, and a grant that was dropped before it
// came stays so.
func (s *State) keep(m *Keep, at actors.Times) decision {
	if s.GetMadeMs() != 0 {
		return answer(&KeepReply{})
	}
	return decision{Reply: &KeepReply{}, Next: &State{
		MadeMs: at.Now.UnixMilli(), Sealed: m.GetSealed(), Login: m.GetLogin(), Mvpd: m.GetMvpd(), Device: m.GetDevice(),
		NotAfterMs: m.GetNotAfterMs(), DueMs: m.GetDueMs(),
	}}
}

// drop forgets the tokens.
func (s *State) drop(at actors.Times) decision {
	if s.GetMadeMs() != 0 && len(s.GetSealed()) == 0 {
		return answer(&DropReply{})
	}
	next := gone(at)
	next.Open = s.clone().Open
	return decision{Reply: &DropReply{}, Next: next}
}

// over reports whether there is nothing left that matters.
func (s *State) over(at actors.Times) bool {
	return s.GetMadeMs() != 0 && len(s.GetOpen()) == 0 && at.Over().UnixMilli() >= s.GetNotAfterMs()
}

func (s *State) expire(m *Expire, p *intent.Promises) decision {
	switch {
	case s.overdue(p.At.Now):
		next := s.ended(p)
		return decision{Reply: &ExpireReply{}, Next: next} // the courier finds the intent
	case s.over(p.At):
		return decision{Reply: &ExpireReply{}, Next: &State{}}
	case m.GetCut() && s.GetMadeMs() != 0:
		return decision{Reply: &ExpireReply{}, Next: s.clone()} // as it was cut when it was loaded
	}
	return answer(&ExpireReply{})
}

// Cut implements intent.Cuts: a grant that was made later than now was made now, and all
// of its times move with that.
func (s *State) Cut(at actors.Times) (did bool) {
	if late := s.MadeMs - at.Now.UnixMilli(); late > actors.Skew.Milliseconds() {
		did = true
		for _, t := range []*int64{&s.MadeMs, &s.NotAfterMs, &s.DueMs, &s.LeaseUntilMs} {
			*t = max(0, *t-late)
		}
	}
	if limit := at.Now.Add(Lease).UnixMilli(); s.LeaseUntilMs > limit {
		s.LeaseUntilMs, did = limit, true
	}
	var open bool
	s.Open, open = intent.Cut(s.Open, at)
	return did || open
}
