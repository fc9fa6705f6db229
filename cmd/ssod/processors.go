package main

import (
	"os"
	"runtime"
)

// spareProcessors raises GOMAXPROCS by half the number of media tokens that are signed at
// once, so that signing never keeps other requests from a processor; package media says
// why. Each further one has a cost: an idle thread looks for work before it sleeps. It
// returns the number of concurrent signatures: one for each CPU that Go may use.
func spareProcessors() (signers int) {
	signers = runtime.GOMAXPROCS(0)
	if os.Getenv("GOMAXPROCS") == "" {
		runtime.GOMAXPROCS(signers + (signers+1)/2)
	}
	return signers
}
