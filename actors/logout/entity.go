package logout

import (
	"google.golang.org/protobuf/proto"

	"ssod/actors"
	"ssod/actors/intent"
)

// Kind registers logouts with a runtime.
func Kind() actors.Kind {
	return actors.Kind{
		Name: KindName,
		New: func(id actors.Identity) actors.Entity {
			return &intent.Entity[State, *State]{Address: actors.Address{Kind: KindName, Identity: id}, Decide: (*State).decide}
		},
		Sweep: sweep,
		Fenced: func(command proto.Message) bool {
			_, reads := command.(*Back)
			return reads
		},
	}
}

// decide finds the decision function for a command.
func (s *State) decide(_ actors.Address, t *actors.Turn) (d decision, known bool) {
	switch m := t.Command().(type) {
	case *Create:
		return s.create(m, t.Now()), true
	case *Take:
		return s.take(t.Now()), true
	case *Back:
		return s.back(t.Now()), true
	case *Expire:
		return s.expire(t.Now()), true
	default:
		return decision{}, false
	}
}
