package session

import (
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"

	"ssod/actors"
	"ssod/actors/intent"
	"ssod/actors/login"
	"ssod/cluster"
)

// Restored is what a new cluster takes over of a stored session: nothing, unless its
// device does not have its login yet. How old the code on a screen is cannot be known.
func Restored(h cluster.Head, r *actors.Restore) (_ cluster.Head, stays bool, err error) {
	s, err := intent.Decode[State](h)
	if err != nil {
		return h, false, err
	}
	s.Open = withoutTokens(intent.Restored(s.Open, r))
	if len(s.Open) == 0 {
		return h, false, nil
	}
	h.State, err = proto.MarshalOptions{Deterministic: true}.Marshal(s)
	return h, true, err
}

// withoutTokens are the intents without the tokens of logins, which may have been used
// since the backup was made.
func withoutTokens(open []*intent.Intent) []*intent.Intent {
	for _, i := range open {
		keep := &login.Keep{}
		if !i.GetCommand().MessageIs(keep) || i.GetCommand().UnmarshalTo(keep) != nil || keep.Tokens == nil {
			continue
		}
		keep.Tokens = nil
		_ = anypb.MarshalFrom(i.GetCommand(), keep, proto.MarshalOptions{Deterministic: true}) // it was decoded
	}
	return open
}
