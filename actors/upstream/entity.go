package upstream

import (
	"google.golang.org/protobuf/proto"

	"ssod/actors"
	"ssod/actors/intent"
)

// level is the format level that brought the kind.
const level = 2

// decision is what becomes of a command.
type decision = intent.Decision[State]

func answer(reply proto.Message) decision { return decision{Reply: reply} }

// clone returns a copy that can be changed, fields of later versions included.
func (s *State) clone() *State { return proto.Clone(s).(*State) }

// Kind registers subjects and sessions with a runtime. The courier carries out their
// intents.
func Kind(courier *intent.Courier) actors.Kind {
	return actors.Kind{
		Name: KindName, Level: level,
		New: func(id actors.Identity) actors.Entity {
			self := actors.Address{Kind: KindName, Identity: id}
			return &intent.Entity[State, *State]{Address: self, Courier: courier, Decide: (*State).decide}
		},
		Sweep:      sweep,
		Unfinished: intent.Unfinished(&State{}),
		// An End that finds nothing to do must know all that was entered.
		Fenced: func(command proto.Message) bool {
			_, ends := command.(*End)
			return ends
		},
	}
}

// decide finds the decision function for a command.
func (s *State) decide(self actors.Address, t *actors.Turn) (d decision, known bool) {
	promises := &intent.Promises{Request: t.Request(), Step: t.Step(), At: t.Times()}
	switch m := t.Command().(type) {
	case *Enter:
		return s.enter(m, byOf(self), promises), true
	case *Remove:
		return s.remove(m, t.Times()), true
	case *End:
		return s.end(m, promises), true
	case *Erase:
		return s.erase(m, promises), true
	case *intent.Settle:
		return s.settle(m), true
	case *intent.Resume:
		return answer(&intent.ResumeReply{}), true
	case *Expire:
		return s.expire(m, t.Times()), true
	default:
		return decision{}, false
	}
}

// settle forgets intents that were carried out.
func (s *State) settle(m *intent.Settle) decision {
	next := s.clone()
	if next.Open = intent.Without(s.Open, m); len(next.Open) == len(s.Open) {
		return answer(&intent.SettleReply{})
	}
	return decision{Reply: &intent.SettleReply{}, Next: next}
}

// InUse implements [intent.Used]: the entity is not forgotten while it has logins.
func (s *State) InUse() bool { return len(s.Logins) > 0 }
