package logout

import (
	"google.golang.org/protobuf/proto"

	"ssod/actors/intent"
)

// decision is what becomes of a command.
type decision = intent.Decision[State]

func answer(reply proto.Message) decision { return decision{Reply: reply} }

// clone returns a copy that can be changed, fields of later versions included.
func (s *State) clone() *State { return proto.Clone(s).(*State) }
