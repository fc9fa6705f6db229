// Package wallclock judges a node's clock by the time that certainly passed, so
// that nothing is dropped for good because a clock was wrong for a while.
//
// A [Watch] tells the confirmed time. It advances as the machine runs, by the
// monotonic clock, which nobody can set. When the clock on the wall is further
// than that, the rest is a leap: the machine slept, was off, or somebody set the
// clock, rightly or wrongly; nobody can tell which. A leap is confirmed when it
// has stood for [Stand] of uptime, over restarts, or by hand. When the clock goes
// back, the last leaps go first.
//
// The confirmed time never goes back by itself. If it was wrong, because a wrong
// clock stood for so long or was accepted, it goes on from there until it is
// set back; what was stamped with it has the right age all the same.
//
// It is for dropping what is kept for long: see [ssod/cluster.Shard]. What is
// decided from one minute to the next follows the clock as it is.
package wallclock
