package trial

import (
	"bytes"
	"slices"
	"time"

	"google.golang.org/protobuf/proto"

	"ssod/actors"
	"ssod/actors/intent"
)

// decide finds the decision function for a command to a trial.
func (s *Trial) decide(_ actors.Address, t *actors.Turn) (d intent.Decision[Trial], known bool) {
	at := t.Times()
	switch m := t.Command().(type) {
	case *Look:
		return intent.Decision[Trial]{Reply: s.view(m.GetTerms(), at.Now)}, true
	case *Use:
		return s.use(m, at), true
	case *Yield:
		return s.yield(m, at), true
	case *Expire:
		return expire(s, m, at), true
	}
	return d, false
}

// use plays resources: as many as are left, in their order. What was used before may be
// used again.
func (s *Trial) use(m *Use, at actors.Times) intent.Decision[Trial] {
	terms := m.GetTerms()
	next := proto.Clone(s).(*Trial)
	if s.GetBeganMs() == 0 && len(s.GetYields()) == 0 && m.GetBegin() {
		next.BeganMs = at.Now.UnixMilli()
	}
	reply := &UseReply{}
	if standing := next.standing(terms, at.Now); standing == Standing_GOOD || standing == Standing_SPENT {
		for _, resource := range m.GetResources() {
			reply.Permitted = append(reply.Permitted, next.play(resource, terms.GetMaxResources()))
		}
	}
	reply.View = next.view(terms, at.Now)
	if next.GetBeganMs() == s.GetBeganMs() && len(next.GetUsed()) == len(s.GetUsed()) {
		return intent.Decision[Trial]{Reply: reply}
	}
	next.TtlMs, next.SeenMs = terms.GetTtlMs(), at.Seen().UnixMilli()
	return intent.Decision[Trial]{Reply: reply, Next: next}
}

// play notes the use of a resource and reports whether it is permitted. Where any number
// is, none is noted.
func (s *Trial) play(resource string, most int64) bool {
	switch {
	case most == 0, slices.Contains(s.Used, resource):
		return true
	case int64(len(s.Used)) >= most:
		return false
	}
	s.Used = append(s.Used, resource)
	return true
}

// yield makes the trial give way, unless it has begun or gives way already.
func (s *Trial) yield(m *Yield, at actors.Times) intent.Decision[Trial] {
	if s.GetBeganMs() != 0 || len(s.GetYields()) > 0 {
		return intent.Decision[Trial]{Reply: s.view(m.GetTerms(), at.Now)}
	}
	next := &Trial{Yields: bytes.Clone(m.GetTo()), TtlMs: m.GetTerms().GetTtlMs(), SeenMs: at.Seen().UnixMilli()}
	return intent.Decision[Trial]{Reply: next.view(m.GetTerms(), at.Now), Next: next}
}

func (s *Trial) view(terms *Terms, now time.Time) *View {
	return &View{Standing: s.standing(terms, now), BeganMs: s.GetBeganMs(), Used: s.GetUsed(), Yields: s.GetYields()}
}

func (s *Trial) standing(terms *Terms, now time.Time) Standing {
	switch most := terms.GetMaxResources(); {
	case s.GetBeganMs() == 0:
		return Standing_NEW
	case now.UnixMilli() >= s.GetBeganMs()+terms.GetTtlMs():
		return Standing_OVER
	case most > 0 && int64(len(s.GetUsed())) >= most:
		return Standing_SPENT
	}
	return Standing_GOOD
}

// Cut implements [intent.Cuts]. A trial that begins later than now begins now.
func (s *Trial) Cut(at actors.Times) (did bool) {
	if now := at.Now; s.BeganMs > now.Add(actors.Skew).UnixMilli() {
		s.BeganMs, did = now.UnixMilli(), true
	}
	return cutSeen(&s.SeenMs, at) || did
}

// gone reports whether the trial has ended so long ago that it is forgotten.
func (s *Trial) gone(retention time.Duration, at actors.Times) bool {
	return s.GetSeenMs() != 0 && over(s.GetSeenMs()+s.GetTtlMs(), retention, at)
}
