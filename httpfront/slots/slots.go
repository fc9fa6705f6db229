// Package slots bounds work that takes much CPU and never waits, such as operations with
// RSA private keys. A few callers work at once, a bounded number waits, first come first
// served, and one more is refused at once:
//
//	if err := s.Enter(ctx); err != nil {
//		return err
//	}
//	defer s.Leave()
//
// So a rush of such work slows other requests down by a share of the CPUs, not by the
// length of the rush. By default it leaves one CPU to others, if there is more than one.
package slots

import (
	"cmp"
	"context"
	"errors"
	"runtime"
	"sync/atomic"
)

// ErrBusy says that too many callers wait.
var ErrBusy = errors.New("too much work at once")

// Slots are places to work. They have no goroutine: callers work themselves.
type Slots struct {
	taken   chan struct{}
	waiting atomic.Int64
	most    int64
}

// cpus is how many CPUs the process has: what Go takes for that at the start,
// before the process lets it use more threads at once (package media).
var cpus = runtime.GOMAXPROCS(0)

// New returns slots for a number of callers at once; 0: all CPUs but one, and at least one.
func New(parallel, waiting int) *Slots {
	return &Slots{taken: make(chan struct{}, cmp.Or(parallel, max(1, cpus-1))), most: int64(waiting)}
}

// Enter waits for a place. It fails with [ErrBusy], or with the error of ctx
// when that ends first. After nil, [Slots.Leave] gives the place back.
func (s *Slots) Enter(ctx context.Context) error {
	select {
	case s.taken <- struct{}{}:
		return nil
	default:
	}
	defer s.waiting.Add(-1)
	if s.waiting.Add(1) > s.most {
		return ErrBusy
	}
	select {
	case s.taken <- struct{}{}:
		// The scheduler runs a goroutine that was woken before those that are
		// ready, in the time that the waker had left. One turn after another,
		// that would keep short requests out for milliseconds.
		runtime.Gosched()
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Leave gives a place back.
func (s *Slots) Leave() { <-s.taken }
