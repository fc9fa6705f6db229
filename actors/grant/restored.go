package grant

import (
	"ssod/actors"
	"ssod/actors/intent"
	"ssod/cluster"
)

// Restored is what a new cluster takes over of a stored grant: nothing, unless it ended a
// login and the device does not know yet. Tokens in a backup may have been used since.
func Restored(h cluster.Head, r *actors.Restore) (_ cluster.Head, stays bool, err error) {
	s, err := intent.Decode[State](h)
	if err != nil {
		return h, false, err
	}
	open := intent.Restored(s.Open, r)
	if len(open) == 0 {
		return h, false, nil
	}
	over := &State{MadeMs: s.GetMadeMs(), NotAfterMs: s.GetNotAfterMs(), Open: open}
	commit, err := intent.Encode(over)
	if err != nil {
		return h, false, err
	}
	h.State = commit.State
	return h, true, nil
}
