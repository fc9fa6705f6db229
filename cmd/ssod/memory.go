package main

import (
	"os"
	"runtime/debug"
)

// gcPercent trades memory for CPU: most of the heap is the state of active
// profiles, which the collector would otherwise mark again for every doubling.
// Active profiles are bounded in number, and GOMEMLIMIT is obeyed.
const gcPercent = 300

// tuneMemory sets the collector's target unless the operator did.
func tuneMemory() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
}
