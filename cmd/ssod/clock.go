//go:build !shiftedclock

package main

import "time"

// clock is the node's clock; nil: the machine's. An installed program has no other.
func clock() func() time.Time { return nil }
