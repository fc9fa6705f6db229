package once

import (
	"time"

	"google.golang.org/protobuf/proto"

	"ssod/actors"
	"ssod/actors/intent"
	"ssod/cluster"
)

// Longest is how long an id can be taken.
const Longest = 24 * time.Hour

// level is the format level that brought the kind.
const level = 2

// decision is what becomes of a command.
type decision = intent.Decision[State]

// Kind registers ids with a runtime.
func Kind() actors.Kind {
	return actors.Kind{
		Name: KindName, Level: level,
		New: func(id actors.Identity) actors.Entity {
			return &intent.Entity[State, *State]{Address: actors.Address{Kind: KindName, Identity: id}, Decide: (*State).decide}
		},
		Sweep: sweep,
		// An answer that the id is taken rests on memory, and an earlier claim that this
		// node knows of is true for ever: no command needs a barrier.
	}
}

// decide finds the decision function for a command.
func (s *State) decide(_ actors.Address, t *actors.Turn) (d decision, known bool) {
	switch m := t.Command().(type) {
	case *Claim:
		return s.claim(m, t.Times()), true
	case *Expire:
		return s.expire(t.Times()), true
	default:
		return decision{}, false
	}
}

// claim takes the id if nobody has it.
func (s *State) claim(m *Claim, at actors.Times) decision {
	if s.GetUntilMs() != 0 && !s.over(at) {
		return decision{Reply: &ClaimReply{Taken: true}}
	}
	until := min(m.GetUntilMs(), at.Seen().Add(Longest).UnixMilli())
	return decision{Reply: &ClaimReply{}, Next: &State{UntilMs: max(until, 1)}}
}

func (s *State) expire(at actors.Times) decision {
	if s.GetUntilMs() == 0 || !s.over(at) {
		return decision{Reply: &ExpireReply{}}
	}
	return decision{Reply: &ExpireReply{}, Next: &State{}}
}

func (s *State) over(at actors.Times) bool { return at.Over().UnixMilli() >= s.GetUntilMs() }

// Cut implements [intent.Cuts]: after the time was set back no id is taken for longer
// than one can be.
func (s *State) Cut(at actors.Times) bool {
	limit := at.Seen().Add(Longest).UnixMilli()
	if s.UntilMs <= limit {
		return false
	}
	s.UntilMs = limit
	return true
}

// sweep looks at a stored id and returns a command when it can be dropped.
func sweep(h cluster.Head, at actors.Times) proto.Message {
	s, err := intent.Decode[State](h)
	if err != nil { // activation reports it
		return nil
	}
	s.Cut(at)
	if s.over(at) {
		return &Expire{}
	}
	return nil
}

// Restored is what a new cluster takes over of a stored id: all of it, since what bears
// the id may still be good.
func Restored(h cluster.Head, _ *actors.Restore) (cluster.Head, error) {
	_, err := intent.Decode[State](h)
	return h, err
}
