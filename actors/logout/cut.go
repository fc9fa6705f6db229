package logout

import (
	"time"

	"ssod/actors"
)

// longest is how long a logout is good at most.
const longest = 24 * time.Hour

// Cut implements intent.Cuts. A logout that is good for longer than any was made
// before the time was set back: it is over.
func (s *State) Cut(at actors.Times) bool {
	if s.NotAfterMs <= at.Now.Add(longest).UnixMilli() {
		return false
	}
	s.NotAfterMs = at.Now.UnixMilli()
	return true
}
