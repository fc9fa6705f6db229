package main

import (
	"os"
	"runtime"
)

// spareProcessors lets Go use as many processors more as media tokens are signed
// at once, so that signing never keeps other requests from having one; package
// mediatoken says why. It returns that number: one for each CPU that Go may use.
func spareProcessors() (signers int) {
	signers = runtime.GOMAXPROCS(0)
	if os.Getenv("GOMAXPROCS") == "" {
		runtime.GOMAXPROCS(2 * signers)
	}
	return signers
}
