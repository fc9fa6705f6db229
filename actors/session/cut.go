package session

import (
	"ssod/actors"
	"ssod/actors/intent"
)

// Cut implements [intent.Cuts]. A session that begins later than now is over: its code
// would be good for longer than allowed.
func (s *State) Cut(at actors.Times) (did bool) {
	if now := at.Now.UnixMilli(); s.NotBeforeMs > now {
		s.NotBeforeMs, s.NotAfterMs, did = now, now, true
	}
	var open bool
	s.Open, open = intent.Cut(s.Open, at)
	return did || open
}
