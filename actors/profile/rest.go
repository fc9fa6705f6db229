package profile

import "ssod/actors"

// rest is an unused state: its encoding alone. Very many profiles are active at once, most
// of them unused for a while, and a decoded state takes as much memory again.
type rest struct {
	encoded string
	lag     int64 // ms: how far the oldest stored lastSeen is behind
}

// rest drops the decoded state, unless a link code is being reserved, which only memory
// knows.
func (e *entity) rest(at actors.Times) {
	if e.state == nil || e.state.reserving(at) {
		return
	}
	encoded, err := e.state.encode()
	if err != nil { // it stays as it is
		return
	}
	e.resting = rest{encoded: string(encoded), lag: e.state.lag()}
	e.state = nil
}

// wake brings the state back. Each member counts as if it had the oldest stored
// lastSeen, so that one may be written too early but never too late.
func (e *entity) wake() {
	if e.state != nil {
		return
	}
	s, err := decode([]byte(e.resting.encoded))
	if err != nil {
		panic("profile: its own encoding cannot be decoded") // the runtime loads it afresh
	}
	for i := range s.members {
		s.members[i].storedSeen -= e.resting.lag
	}
	e.state, e.resting = s, rest{}
}
