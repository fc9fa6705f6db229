package farewell

import (
	"time"

	"ssod/actors"
)

// longest is for how long a farewell is good at most.
const longest = time.Hour

// Cut implements intent.Cuts. A farewell that is good for longer than any is of a
// time that was set back: it is over.
func (s *State) Cut(at actors.Times) bool {
	if s.NotAfterMs <= at.Now.Add(longest).UnixMilli() {
		return false
	}
	s.NotAfterMs = at.Now.UnixMilli()
	return true
}
