//go:build !shiftedclock

package main

import "time"

// clock is what the node goes by; nil is the machine's clock, and there is no way
// to give a program that is installed another one.
func clock() func() time.Time { return nil }
