package answer

import (
	"crypto/subtle"
	"time"

	"google.golang.org/protobuf/proto"

	"ssod/actors"
	"ssod/actors/intent"
	"ssod/cluster"
)

// level is the format level that brought the kind.
const level = 2

// decision is what becomes of a command.
type decision = intent.Decision[State]

func reply(m proto.Message) decision { return decision{Reply: m} }

// Kind registers answers with a runtime.
func Kind() actors.Kind {
	return actors.Kind{
		Name: KindName, Level: level,
		New: func(id actors.Identity) actors.Entity {
			return &intent.Entity[State, *State]{Address: actors.Address{Kind: KindName, Identity: id}, Decide: (*State).decide}
		},
		Sweep: sweep,
		// A browser that asks again is answered from memory.
		Fenced: func(command proto.Message) bool {
			_, takes := command.(*Take)
			return takes
		},
	}
}

// decide finds the decision function for a command.
func (s *State) decide(_ actors.Address, t *actors.Turn) (d decision, known bool) {
	switch m := t.Command().(type) {
	case *Store:
		return s.store(m, t.Now()), true
	case *Take:
		return s.take(m, t.Now()), true
	case *Expire:
		return s.expire(t.Now()), true
	default:
		return decision{}, false
	}
}

// store keeps an answer.
func (s *State) store(m *Store, now time.Time) decision {
	ttl := min(m.GetTtlMs(), TTL.Milliseconds())
	return decision{Reply: &StoreReply{}, Next: &State{State: m.GetState(), Values: m.GetValues(), NotAfterMs: now.UnixMilli() + ttl}}
}

// take gives the answer to the first browser that belongs to its login. The state proves
// that already; the browser is noted all the same, so that the answer has one taker.
func (s *State) take(m *Take, now time.Time) decision {
	taken := len(s.GetTakenBy()) > 0
	switch {
	case s.over(now), !equal(s.GetState(), m.GetState()), taken && !equal(s.GetTakenBy(), m.GetBrowser()):
		return reply(&TakeReply{Refused: true})
	case taken:
		return reply(&TakeReply{Values: s.GetValues()})
	}
	next := proto.Clone(s).(*State)
	next.TakenBy = m.GetBrowser()
	return decision{Reply: &TakeReply{Values: s.GetValues()}, Next: next}
}

func equal(a, b []byte) bool { return subtle.ConstantTimeCompare(a, b) == 1 }

func (s *State) expire(now time.Time) decision {
	if s.GetNotAfterMs() == 0 || !s.over(now) {
		return reply(&ExpireReply{})
	}
	return decision{Reply: &ExpireReply{}, Next: &State{}}
}

func (s *State) over(now time.Time) bool { return now.UnixMilli() >= s.GetNotAfterMs() }

// Cut implements [intent.Cuts]. An answer that is good for longer than any was stored
// before the time was set back: it is over.
func (s *State) Cut(at actors.Times) bool {
	if s.NotAfterMs <= at.Now.Add(TTL).UnixMilli() {
		return false
	}
	s.NotAfterMs = at.Now.UnixMilli()
	return true
}

// sweep looks at a stored answer and returns a command when it can be dropped.
func sweep(h cluster.Head, at actors.Times) proto.Message {
	s, err := intent.Decode[State](h)
	switch {
	case err != nil: // activation reports it
		return nil
	case s.Cut(at), s.over(at.Now):
		return &Expire{}
	}
	return nil
}

// Restored is what a new cluster takes over of a stored answer: nothing. The browser
// that it waits for has gone meanwhile.
func Restored(h cluster.Head, _ *actors.Restore) (stays bool, err error) {
	_, err = intent.Decode[State](h)
	return false, err
}
