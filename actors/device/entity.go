package device

import (
	"google.golang.org/protobuf/proto"

	"ssod/actors"
	"ssod/actors/intent"
	"ssod/actors/login"
)

// Kind registers devices with a runtime. The courier carries out their intents.
func Kind(courier *intent.Courier) actors.Kind {
	return actors.Kind{
		Name: KindName,
		New: func(id actors.Identity) actors.Entity {
			self := actors.Address{Kind: KindName, Identity: id}
			return &intent.Entity[State, *State]{Address: self, Courier: courier, Decide: (*State).decide, Facts: facts}
		},
		Sweep:      sweep,
		Unfinished: intent.Unfinished(&State{}),
		Fenced: func(command proto.Message) bool {
			_, reads := command.(*Logins)
			return reads
		},
	}
}

// decide finds the decision function for a command.
func (s *State) decide(self actors.Address, t *actors.Turn) (d decision, known bool) {
	at := t.Times()
	promises := &intent.Promises{Request: t.Request(), Step: t.Step(), At: at}
	switch m := t.Command().(type) {
	case *Begin:
		return s.begin(m, promises), true
	case *Logins:
		return s.list(), true
	case *Leave:
		return s.leave(m, promises), true
	case *login.Keep:
		return s.keep(m, intent.At(self), promises), true
	case *login.End:
		return s.end(m, promises), true
	case *login.Tell:
		return s.tell(m, promises), true
	case *intent.Settle:
		return s.settle(m), true
	case *intent.Resume:
		return answer(&intent.ResumeReply{}), true
	case *Expire:
		return s.expire(m, at), true
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
