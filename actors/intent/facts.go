package intent

import (
	"time"

	"google.golang.org/protobuf/proto"

	"ssod/actors"
	"ssod/actors/event"
)

// Facts are what others are told when a command changes a state ([actors.Decision]).
type Facts[P any] func(before, next P, self actors.Address, command proto.Message, now time.Time) []event.Fact

func (e *Entity[S, P]) facts(t *actors.Turn, next P) event.Teller {
	if e.Facts == nil {
		return nil
	}
	return func() []event.Fact { return e.Facts(e.state, next, e.Address, t.Command(), t.Now()) }
}
