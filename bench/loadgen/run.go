package loadgen

import (
	"fmt"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
	"golang.org/x/sys/unix"
)

// Window says which part of a run is measured.
type Window struct {
	// Warm is how long requests are sent before they count.
	Warm time.Duration
	// Measure is how long requests are counted. The window ends early when the
	// source has no more requests. Required.
	Measure time.Duration
	// Least is how many answers the measured part wants. A machine that had no
	// time for them gets up to a minute more than Measure; 0 asks for none.
	Least int
	// Begin and End are called at the edges of the measured part; both may be
	// nil.
	Begin, End func()
}

// Result is what a window saw.
type Result struct {
	// Requests counts the answers in the window that the source accepted.
	Requests int
	// Errors counts those it did not accept, also outside the window.
	Errors  int
	Elapsed time.Duration
	// Latency is in nanoseconds: service time of a closed loop, response time
	// from the intended start of an open one.
	Latency *hdrhistogram.Histogram
}

// Rate is the number of accepted answers per second.
func (r Result) Rate() float64 {
	if r.Elapsed <= 0 {
		return 0
	}
	return float64(r.Requests) / r.Elapsed.Seconds()
}

// stretch is how much longer than asked for a window stays open for its least
// answers.
const stretch = time.Minute

// answerTimeout ends a run when no connection has anything to read for so long.
const answerTimeout = 30 * time.Second

// run is the state of one call of Closed or Open.
type run struct {
	loop     *Loop
	src      Source
	window   Window
	began    time.Duration
	result   Result
	inWindow bool
	ended    bool
	busy     int

	// The timer of an open loop.
	armed time.Duration // the arrival it is set for
	fired bool
}

func (l *Loop) newRun(src Source, w Window) *run {
	return &run{
		loop: l, src: src, window: w, began: l.now(),
		result: Result{Latency: hdrhistogram.New(1000, int64(time.Minute), 3)},
	}
}

// Closed keeps every connection busy until the window is over and all answers
// are in. An error of the connection ends the run.
func (l *Loop) Closed(src Source, w Window) (Result, error) {
	r := l.newRun(src, w)
	for _, c := range l.conns {
		if err := r.send(c, l.now()); err != nil {
			return r.result, err
		}
	}
	for r.busy > 0 {
		if err := r.turn(func(c *conn) error { return r.send(c, l.now()) }); err != nil {
			return r.result, err
		}
	}
	r.end(l.now())
	return r.result, nil
}

// send starts a request on c unless the window is over.
func (r *run) send(c *conn, intended time.Duration) error {
	r.edges(r.loop.now())
	if r.ended {
		return nil
	}
	ok, err := r.loop.send(c, r.src, intended)
	if err != nil {
		return err
	}
	if !ok {
		r.end(r.loop.now())
		return nil
	}
	r.busy++
	return nil
}

// turn waits once and passes each connection whose answer is in to free.
func (r *run) turn(free func(*conn) error) error {
	events, err := r.loop.wait(answerTimeout)
	if err != nil {
		return err
	}
	if len(events) == 0 {
		return fmt.Errorf("no answer within %v to %d requests", answerTimeout, r.busy)
	}
	for _, event := range events {
		if int(event.Fd) == len(r.loop.conns) {
			r.fired = true
			continue
		}
		if err := r.readable(r.loop.conns[event.Fd], free); err != nil {
			return err
		}
	}
	return nil
}

func (r *run) readable(c *conn, free func(*conn) error) error {
	wasBusy := c.busy
	a, ok, err := c.receive()
	if err != nil {
		return err
	}
	if !ok {
		return nil
	}
	if !wasBusy {
		return errAnswer
	}
	r.busy--
	r.count(c, r.src.Answer(c.tag, a.status, a.body))
	return free(c)
}

func (r *run) count(c *conn, accepted bool) {
	now := r.loop.now()
	r.edges(now)
	if !accepted {
		r.result.Errors++
		return
	}
	if !r.inWindow {
		return
	}
	r.result.Requests++
	_ = r.result.Latency.RecordValue(int64(min(now-c.intended, time.Minute))) // in range by the min
}

// edges opens and closes the window when its time has come.
func (r *run) edges(now time.Duration) {
	if !r.inWindow && !r.ended && now-r.began >= r.window.Warm {
		r.inWindow = true
		r.began = now
		if r.window.Begin != nil {
			r.window.Begin()
		}
	}
	if r.inWindow && r.over(now-r.began) {
		r.end(now)
	}
}

// over reports whether a window that has been open for so long may close.
func (r *run) over(open time.Duration) bool {
	enough := r.result.Requests+r.result.Errors >= r.window.Least
	return open >= r.window.Measure && (enough || open >= r.window.Measure+stretch)
}

func (r *run) end(now time.Duration) {
	if r.inWindow {
		r.result.Elapsed = now - r.began
		if r.window.End != nil {
			r.window.End()
		}
	}
	r.inWindow, r.ended = false, true
}

// Arrivals is the time of each request of an open loop, from the start of the
// run; non-decreasing.
type Arrivals func() time.Duration

// Open sends a request at each time of arrivals, or as soon after as a
// connection is free, until the window is over.
func (l *Loop) Open(src Source, arrivals Arrivals, w Window) (Result, error) {
	r := l.newRun(src, w)
	timer, err := l.addTimer()
	if err != nil {
		return r.result, err
	}
	defer unix.Close(timer)
	start, next := r.began, r.began+arrivals()
	for {
		for !r.ended && next <= l.now() && len(l.idle) > 0 {
			if err := r.sendIdle(next); err != nil {
				return r.result, err
			}
			next = start + arrivals()
		}
		if r.ended && r.busy == 0 {
			return r.result, nil
		}
		if err := r.await(timer, next); err != nil {
			return r.result, err
		}
	}
}

// await waits for answers and the next arrival. Without a free connection an
// answer comes first, and after the window nothing is sent: then no timer runs.
// Most waits end with an answer: then the timer is still right, and is left
// alone.
func (r *run) await(timer int, next time.Duration) error {
	if !r.ended && len(r.loop.idle) > 0 && r.armed != next {
		if err := arm(timer, next-r.loop.now()); err != nil {
			return err
		}
		r.armed = next
	}
	if err := r.turn(r.loop.release); err != nil {
		return err
	}
	if !r.fired {
		return nil
	}
	r.fired, r.armed = false, 0
	return drain(timer)
}

func (r *run) sendIdle(intended time.Duration) error {
	last := len(r.loop.idle) - 1
	c := r.loop.idle[last]
	if err := r.send(c, intended); err != nil {
		return err
	}
	if c.busy {
		r.loop.idle = r.loop.idle[:last]
	}
	return nil
}

func (l *Loop) release(c *conn) error {
	l.idle = append(l.idle, c)
	return nil
}
