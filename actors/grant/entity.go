package grant

import (
	"google.golang.org/protobuf/proto"

	"ssod/actors"
	"ssod/actors/intent"
	"ssod/cluster"
)

// firstLevel is the format level of the cluster from which on there are grants.
const firstLevel = 2

// Kind registers grants with a runtime. The courier carries out their intents.
func Kind(courier *intent.Courier) actors.Kind {
	return actors.Kind{
		Name:  KindName,
		Level: firstLevel,
		New: func(id actors.Identity) actors.Entity {
			self := actors.Address{Kind: KindName, Identity: id}
			return &intent.Entity[State, *State]{Address: self, Courier: courier, Decide: (*State).decide}
		},
		Sweep:      sweep,
		Unfinished: intent.Unfinished(&State{}),
	}
}

// decision is what becomes of a command.
type decision = intent.Decision[State]

func answer(reply proto.Message) decision { return decision{Reply: reply} }

// clone returns a copy that can be changed, fields of later versions included.
func (s *State) clone() *State { return proto.Clone(s).(*State) }

// decide finds the decision function for a command.
func (s *State) decide(_ actors.Address, t *actors.Turn) (d decision, known bool) {
	p := &intent.Promises{Request: t.Request(), Step: t.Step(), At: t.Times()}
	switch m := t.Command().(type) {
	case *Keep:
		return s.keep(m, p.At), true
	case *Take:
		return s.take(m, p), true
	case *Put:
		return s.put(m, p), true
	case *Release:
		return s.release(m), true
	case *Lose:
		return s.lose(m, p), true
	case *Drop:
		return s.drop(p.At), true
	case *intent.Settle:
		return s.settle(m), true
	case *intent.Resume:
		return answer(&intent.ResumeReply{}), true
	case *Expire:
		return s.expire(m, p), true
	default:
		return decision{}, false
	}
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

// sweep looks at a stored grant and returns a command when there is something to carry
// out, or it is over.
func sweep(h cluster.Head, at actors.Times) proto.Message {
	s, err := intent.Decode[State](h)
	switch {
	case err != nil: // activation reports it; sweeping cannot help
		return nil
	case intent.Overdue(s.GetOpen(), at.Now):
		return &intent.Resume{}
	case s.Cut(at):
		return &Expire{Cut: true}
	case s.overdue(at.Now), s.over(at):
		return &Expire{}
	}
	return nil
}
