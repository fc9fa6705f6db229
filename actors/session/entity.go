package session

import (
	"google.golang.org/protobuf/proto"

	"ssod/actors"
	"ssod/actors/device"
	"ssod/actors/intent"
)

// Kind registers sessions with a runtime. The courier carries out their intents.
func Kind(courier *intent.Courier) actors.Kind {
	return actors.Kind{
		Name: KindName,
		New: func(id actors.Identity) actors.Entity {
			self := actors.Address{Kind: KindName, Identity: id}
			return &intent.Entity[State, *State]{Address: self, Courier: courier, Decide: (*State).decide}
		},
		Sweep:      sweep,
		Unfinished: intent.Unfinished(&State{}),
		Fenced:     reads,
	}
}

// reads says which commands never change anything.
func reads(command proto.Message) bool {
	switch command.(type) {
	case *Read, *Open:
		return true
	default:
		return false
	}
}

// decide finds the decision function for a command.
func (s *State) decide(self actors.Address, t *actors.Turn) (d decision, known bool) {
	now := t.Now()
	switch m := t.Command().(type) {
	case *Create:
		return s.create(m, now), true
	case *Amend:
		return s.amend(m, now), true
	case *Read:
		return s.read(now), true
	case *Open:
		return s.open(m, now), true
	case *Finish:
		return s.finish(m, intent.At(self), &intent.Promises{Request: t.Request(), Step: t.Step(), At: t.Times()}), true
	case *Decline:
		return s.decline(now), true
	case *device.Supersede:
		return s.supersede(), true
	case *intent.Settle:
		return s.settle(m), true
	case *intent.Resume:
		return answer(&intent.ResumeReply{}), true
	case *Expire:
		return s.expire(m, now), true
	default:
		return decision{}, false
	}
}
