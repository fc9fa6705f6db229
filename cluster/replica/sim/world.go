package sim

import (
	"container/heap"
	"fmt"
	"math/rand/v2"
	"time"
)

// instant is virtual time since the start.
type instant = time.Duration

// event is something that happens at a time; seq keeps the order of events of
// the same time.
type event struct {
	at  instant
	seq uint64
	do  func()
}

type events []event

func (e events) Len() int { return len(e) }
func (e events) Less(i, j int) bool {
	return e[i].at < e[j].at || e[i].at == e[j].at && e[i].seq < e[j].seq
}
func (e events) Swap(i, j int) { e[i], e[j] = e[j], e[i] }
func (e *events) Push(x any)   { *e = append(*e, x.(event)) }
func (e *events) Pop() any {
	last := (*e)[len(*e)-1]
	(*e)[len(*e)-1] = event{}
	*e = (*e)[:len(*e)-1]
	return last
}

// clock orders the events of a world.
type clock struct {
	now    instant
	seq    uint64
	events events
	rand   *rand.Rand
}

func newClock(seed uint64) clock {
	return clock{rand: rand.New(rand.NewPCG(seed, 0x55d0))}
}

// after does f when d has passed.
func (c *clock) after(d time.Duration, f func()) {
	c.seq++
	heap.Push(&c.events, event{c.now + max(d, 0), c.seq, f})
}

// step does the next event; false when it is later than until.
func (c *clock) step(until instant) bool {
	if len(c.events) == 0 || c.events[0].at > until {
		c.now = until
		return false
	}
	e := heap.Pop(&c.events).(event)
	c.now = e.at
	e.do()
	return true
}

// between draws a duration.
func (c *clock) between(lo, hi time.Duration) time.Duration {
	return lo + time.Duration(c.rand.Int64N(int64(hi-lo)+1))
}

// chance is true with probability p.
func (c *clock) chance(p float64) bool { return c.rand.Float64() < p }

// Violation is a broken promise.
type Violation struct {
	At   time.Duration
	What string
}

func (v *Violation) Error() string { return fmt.Sprintf("at %v: %s", v.At, v.What) }

// violate ends the run.
func (c *clock) violate(format string, args ...any) {
	panic(&Violation{c.now, fmt.Sprintf(format, args...)})
}
