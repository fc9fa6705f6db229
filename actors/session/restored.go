package session

import (
	"google.golang.org/protobuf/proto"

	"ssod/actors"
	"ssod/actors/intent"
	"ssod/cluster"
)

// Restored is what a new cluster takes over of a stored session: nothing, unless its
// device does not have its login yet. How old the code on a screen is cannot be known.
func Restored(h cluster.Head, r *actors.Restore) (_ cluster.Head, stays bool, err error) {
	s, err := intent.Decode[State](h)
	if err != nil {
		return h, false, err
	}
	s.Open = intent.Restored(s.Open, r)
	if len(s.Open) == 0 {
		return h, false, nil
	}
	h.State, err = proto.MarshalOptions{Deterministic: true}.Marshal(s)
	return h, true, err
}
