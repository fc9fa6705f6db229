// Package wallclock judges a node's clock by the time that certainly passed, so
// that nothing is dropped for good because a clock was wrong for a while.
//
// A [Watch] keeps the confirmed time. It advances as the machine runs, by the monotonic
// clock, which cannot be set. When the wall clock is ahead of that, the rest is a leap: the
// machine slept, was off, or its clock was set, rightly or wrongly. A leap is confirmed when
// it has stood for [Stand] of uptime, over restarts, or by hand. When the clock goes back,
// the last leaps go first.
//
// The confirmed time never goes back by itself. If it is wrong, because a wrong clock stood
// for long enough or was accepted, it goes on from there until it is set back; what was
// stamped with it still has the right age.
//
// It is for dropping data that is kept for long: see [ssod/cluster.Shard]. Short-term
// decisions follow the wall clock.
package wallclock
