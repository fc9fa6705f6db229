package actors

// state is how far a turn has come. Its methods are all that changes it, so it
// only ever goes forward.
type state struct {
	stage stage
	fence fence
	past  past
}

// stage is where a turn is between its delivery and its end.
type stage uint8

const (
	running stage = iota // in Receive, or on its way there
	waiting              // stays open after Receive: deferred
	held                 // likewise, until the commit in flight has settled
	ended                // answered or replaced
)

// fence is what became of the turn's read barrier.
type fence uint8

const (
	unfenced fence = iota
	wanted         // asked for: taken before the entity sees the command again
	passed
	broken // it failed: the turn is only to be answered
)

// past is what is known of earlier deliveries of the command. If any are possible, its
// outcome is looked up before the entity sees it.
type past uint8

const (
	first       past = iota // there was none
	redelivered             // here, without an effect
	repeated                // there may have been one
	doubtful                // one may have had an effect: a failure does not mean none
)

// arrived is the state of a command that arrives, perhaps again.
func arrived(again bool) state {
	if again {
		return state{past: repeated}
	}
	return state{}
}

// leave makes the turn stay open and reports whether it did not before.
func (s *state) leave() bool {
	if s.stage != running {
		return false
	}
	s.stage = waiting
	return true
}

// hold makes a turn that stays open wait for the commit in flight.
func (s *state) hold() {
	if s.stage == waiting {
		s.stage = held
	}
}

// end ends the turn and reports whether it had stayed open until now.
func (s *state) end() (wasOpen bool) {
	wasOpen = s.stage == waiting || s.stage == held
	s.stage = ended
	return wasOpen
}

// want asks for a barrier; a turn has at most one.
func (s *state) want() {
	if s.fence == unfenced {
		s.fence = wanted
	}
}

// settle notes how the barrier ended, once.
func (s *state) settle(ok bool) {
	switch {
	case ok && s.fence != broken:
		s.fence = passed
	case !ok && s.fence != passed:
		s.fence = broken
	}
}

// again is the state of the turn's successor, after a delivery that may have had an
// effect or certainly had none.
func (s state) again(effect bool) state {
	next := state{fence: s.fence, past: max(s.past, redelivered)}
	if effect {
		next.past = doubtful
	}
	return next
}
