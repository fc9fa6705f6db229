package cluster

import "ssod/persistence/pace"

// Pace interrupts background work by rests, so that requests go before it.
type Pace = pace.Pace

// BeginPace begins a piece of background work.
func BeginPace() *Pace { return pace.Begin() }
