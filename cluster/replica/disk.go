package replica

import (
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"ssod/cluster/replica/core"
)

// How slow a disk is. Everything is counted in ticks, which do not come while
// the process or its machine is paused: what seems to have taken long then has
// not.
const (
	// defaultSlowDisk: a write older than this makes the disk slow, one older
	// than calmDisk keeps it so.
	defaultSlowDisk = 2 * time.Second
	calmDisk        = time.Second
	// defaultQuietDisk is for how long no write of a slow disk may be as old as
	// that before it is quick again.
	defaultQuietDisk = 10 * time.Second
	// defaultHungDisk: a write older than this ends the process.
	defaultHungDisk = 20 * time.Second
	// probeDisk is how often a slow disk is written to when nothing else is.
	probeDisk = time.Second
)

// ErrDiskHung ends a process whose disk has not finished a write for long.
var ErrDiskHung = errors.New("the disk has hung")

// Disk says how this node's disk does.
type Disk struct {
	// Slow: a write took too long, or did so a short while ago.
	Slow bool
	// Lags: it is much slower than those of other nodes; see [Engine.SetLags].
	Lags bool
	// Full: free space is below the reserve, or was a short while ago. Changes are
	// refused as long as it is.
	Full bool
	// Age is for how long the oldest write has not been finished, as far as the
	// process was running; 0: none is under way.
	Age time.Duration
}

// Disk tells how the disk does.
func (e *Engine) Disk() Disk {
	return Disk{Slow: e.disk.slow.Load(), Lags: e.disk.lags.Load(), Full: e.disk.full.Load(), Age: e.disk.age(e)}
}

// Appends tells how many batches of log entries were written and synced since the
// engine was opened, and how long all of them took together.
func (e *Engine) Appends() (n uint64, took time.Duration) {
	return e.disk.appends.Load(), time.Duration(e.disk.took.Load())
}

// SetLags says whether the disk is much slower than those of other nodes, which only
// somebody can judge who knows of them. While it is, the node does not stand at once
// when a leader is gone, and writes to the disk once a second at least, so that it
// shows when that is over.
func (e *Engine) SetLags(lags bool) {
	if e.disk.lags.Swap(lags) != lags {
		e.hesitate()
		e.cfg.DiskJudged(e.Disk())
	}
}

// hesitate tells the core whether this node should stand after others.
func (e *Engine) hesitate() {
	reluctant := e.disk.slow.Load() || e.disk.lags.Load()
	e.inbox.input(func(c *core.Core) { c.SetReluctant(reluctant) })
}

// disk watches how long writes take.
type disk struct {
	tick                    time.Duration
	slowAt, calmAt          uint64 // ticks
	quiet, hungAt, probeGap uint64

	ticks atomic.Uint64
	slow  atomic.Bool
	lags  atomic.Bool
	full  atomic.Bool
	// appends counts synced batches, and took nanoseconds.
	appends atomic.Uint64
	took    atomic.Int64
	// looped is the tick at which the loop came by last.
	looped atomic.Uint64
	// beside counts what is written outside the queues.
	beside besides

	// These belong to the watch.
	bad    uint64 // the last tick at which a write was old
	probed uint64 // when the disk was written to only to see how it does
	fullAt uint64 // the last tick at which it was full
}

func (d *disk) init(c *Config) {
	ticks := func(t time.Duration) uint64 { return uint64((t + c.Tick - 1) / c.Tick) }
	d.tick = c.Tick
	d.slowAt, d.hungAt, d.quiet = ticks(c.SlowDisk), ticks(c.HungDisk), ticks(c.QuietDisk)
	d.calmAt, d.probeGap = min(ticks(calmDisk), max(1, d.slowAt/2)), min(ticks(probeDisk), max(1, d.quiet/4))
}

// appended notes how long jobs took that were written as one batch, if it was synced.
func (d *disk) appended(jobs []*core.AppendJob, took time.Duration) {
	if slices.ContainsFunc(jobs, func(j *core.AppendJob) bool { return j.Sync }) {
		d.appends.Add(1)
		d.took.Add(int64(took))
	}
}

// now is the time of the watch.
func (d *disk) now() uint64 { return d.ticks.Load() }

// waits bounds how many writes and syncs of files a job waits for: one that is
// under way, its own, and that of a configuration.
const waits = 3

// oldest is for how many ticks the oldest job has not been finished and the disk
// can be to blame. A machine that has no time for this process makes jobs old too,
// but what the disk is at then is young.
func (d *disk) oldest(e *Engine) uint64 {
	now := d.now()
	age := max(e.appends.age(now), e.applies.age(now))
	if age == 0 {
		return 0
	}
	return min(age, uint64(waits*e.cfg.Log.Busy()/d.tick))
}

func (d *disk) age(e *Engine) time.Duration { return time.Duration(d.oldest(e)) * d.tick }

// watchDisk looks at the disk every tick until the writers have ended.
func (e *Engine) watchDisk() {
	ticker := time.NewTicker(e.cfg.Tick)
	defer ticker.Stop()
	for {
		select {
		case <-e.written:
			return
		case <-ticker.C:
			e.lookAtDisk()
		}
	}
}

// lookAtDisk is one tick of the watch.
func (e *Engine) lookAtDisk() {
	d := &e.disk
	now := d.ticks.Add(1)
	age := d.oldest(e)
	if age >= d.hungAt {
		e.fail(fmt.Errorf("%w: a write has not been finished for %v", ErrDiskHung, d.age(e)))
		return
	}
	if age >= d.calmAt {
		d.bad = now
	}
	d.measure(now, e.cfg.Log.Full())
	switch slow := d.slow.Load(); {
	case !slow && age >= d.slowAt:
		e.judgeDisk(true)
	case slow && now-d.bad > d.quiet:
		e.judgeDisk(false)
	}
	if e.doubtsDisk(now) && now-d.probed >= d.probeGap {
		d.probed = now
		e.probeDisk()
	}
}

// measure decides whether the disk is full.
func (d *disk) measure(now uint64, full bool) {
	if full {
		d.fullAt = now
	}
	d.full.Store(full || d.full.Load() && now-d.fullAt <= d.quiet)
}

// judgeDisk says whether the disk is slow from now on.
func (e *Engine) judgeDisk(slow bool) {
	e.disk.slow.Store(slow)
	e.hesitate()
	e.cfg.DiskJudged(e.Disk())
}

// doubtsDisk reports whether the disk must be written to, to see how it does: it
// was slow, or lags, or something that may rightly take long, or that holds up the loop,
// waits for it.
func (e *Engine) doubtsDisk(now uint64) bool {
	d := &e.disk
	return d.slow.Load() || d.lags.Load() || d.beside.age(now) >= d.slowAt || now-d.looped.Load() >= d.slowAt
}

// probeDisk writes and syncs a batch that says nothing, unless others wait or
// the writers are about to end.
func (e *Engine) probeDisk() {
	select {
	case <-e.stop:
		return
	default:
	}
	if e.appends.idle() {
		e.appends.put(&core.AppendJob{Sync: true}, e.disk.now())
		e.appends.nudge()
	}
}
