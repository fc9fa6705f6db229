package mediatoken

import "syscall"

// niceness of the threads that sign: when others want the CPU they get about a
// fourth of it.
const niceness = 5

// giveWay lets the thread come after others: a signature takes as long as some
// twenty other requests. Linux has a priority for each thread. That it cannot be
// set costs nothing but some latency of others.
func giveWay() { _ = syscall.Setpriority(syscall.PRIO_PROCESS, syscall.Gettid(), niceness) }
