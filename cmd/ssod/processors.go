package main

import (
	"os"
	"runtime"
)

// spareProcessors lets Go use half as many processors more as media tokens are
// signed at once, so that signing never keeps other requests from having one;
// package media says why. Each further one costs something: when nothing is to
// be done its thread looks for work before it sleeps. It returns how many signatures
// are made at once: one for each CPU that Go may use.
func spareProcessors() (signers int) {
	signers = runtime.GOMAXPROCS(0)
	if os.Getenv("GOMAXPROCS") == "" {
		runtime.GOMAXPROCS(signers + (signers+1)/2)
	}
	return signers
}
