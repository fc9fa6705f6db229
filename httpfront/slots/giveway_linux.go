package slots

import "syscall"

// niceness of threads that give way: when others want the CPU they get about a
// fourth of it. Much less, and Go's collector would wait for them to be stopped.
const niceness = 5

// GiveWay lets the calling thread come after others from now on; its goroutine
// must be locked to it ([runtime.LockOSThread]) and end with it. Linux has a
// priority for each thread. That it cannot be set costs nothing but some latency of
// others.
func GiveWay() { _ = syscall.Setpriority(syscall.PRIO_PROCESS, syscall.Gettid(), niceness) }
