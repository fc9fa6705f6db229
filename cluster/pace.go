package cluster

import "ssod/persistence/pace"

// Pace is how long work that nobody waits for goes on and rests, so that requests go
// before it.
type Pace = pace.Pace

// BeginPace begins a piece of such work.
func BeginPace() *Pace { return pace.Begin() }
