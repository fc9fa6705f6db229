package replica

import (
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"ssod/cluster/replica/core"
)

// How slow a disk is. Everything is counted in ticks, which stop while the process or its
// machine is paused.
const (
	// defaultSlowDisk: a write older than this makes the disk slow, one older
	// than calmDisk keeps it so.
	defaultSlowDisk = 2 * time.Second
	calmDisk        = time.Second
	// defaultQuietDisk is how long the writes of a slow disk must stay younger than
	// calmDisk before it is quick again.
	defaultQuietDisk = 10 * time.Second
	// defaultHungDisk: a write older than this ends the process.
	defaultHungDisk = 20 * time.Second
	// probeDisk is how often a slow disk is written to when nothing else is.
	probeDisk = time.Second
)

// ErrDiskHung ends a process whose disk has not finished a write for long.
var ErrDiskHung = errors.New("the disk has hung")

// Disk is the condition of this node's disk.
type Disk struct {
	// Slow: a write takes too long, or did within [Config.QuietDisk].
	Slow bool
	// Lags: it is much slower than those of other nodes; see [Engine.SetLags].
	Lags bool
	// Full: free space is below the reserve, or was within [Config.QuietDisk].
	Full bool
	// Age is that of the oldest write under way, without times at which the process was
	// paused; 0: none is under way.
	Age time.Duration
}

// Disk returns the condition of the disk.
func (e *Engine) Disk() Disk {
	return Disk{Slow: e.disk.slow.Load(), Lags: e.disk.lags.Load(), Full: e.disk.full.Load(), Age: e.disk.age(e)}
}

// Appends counts the batches of log entries that were written and synced since the
// engine was opened, and returns the time that they took together.
func (e *Engine) Appends() (n uint64, took time.Duration) {
	return e.disk.appends.Load(), time.Duration(e.disk.took.Load())
}

// SetLags says whether the disk is much slower than those of other nodes. While it is,
// the node does not campaign at once when a leader is gone, and writes to the disk at
// least once a second, so that the end of the lag shows.
func (e *Engine) SetLags(lags bool) {
	if e.disk.lags.Swap(lags) != lags {
		e.hesitate()
		e.cfg.DiskJudged(e.Disk())
	}
}

// hesitate tells the core whether this node should campaign only after others.
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
	// looped is the tick of the loop's last turn.
	looped atomic.Uint64
	side   sideWrites

	// These belong to the watch. They are the last ticks at which
	bad    uint64 // a write was old
	probed uint64 // a probe was written
	fullAt uint64 // it was full
}

func (d *disk) init(c *Config) {
	ticks := func(t time.Duration) uint64 { return uint64((t + c.Tick - 1) / c.Tick) }
	d.tick = c.Tick
	d.slowAt, d.hungAt, d.quiet = ticks(c.SlowDisk), ticks(c.HungDisk), ticks(c.QuietDisk)
	d.calmAt, d.probeGap = min(ticks(calmDisk), max(1, d.slowAt/2)), min(ticks(probeDisk), max(1, d.quiet/4))
}

// appended notes how long a batch of jobs took, if it was synced.
func (d *disk) appended(jobs []*core.AppendJob, took time.Duration) {
	if slices.ContainsFunc(jobs, func(j *core.AppendJob) bool { return j.Sync }) {
		d.appends.Add(1)
		d.took.Add(int64(took))
	}
}

// now is the time of the watch.
func (d *disk) now() uint64 { return d.ticks.Load() }

// waits bounds the writes and syncs of files that a job waits for: one that is under
// way, its own, and that of a configuration.
const waits = 3

// oldest is the age in ticks of the oldest job, as far as the disk can be to blame: on
// an overloaded machine jobs get old while the disk's writes are young.
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

func (e *Engine) judgeDisk(slow bool) {
	e.disk.slow.Store(slow)
	e.hesitate()
	e.cfg.DiskJudged(e.Disk())
}

// doubtsDisk reports whether the disk must be probed: it was slow, or lags, or may be the
// reason why a side write or the loop takes long.
func (e *Engine) doubtsDisk(now uint64) bool {
	d := &e.disk
	return d.slow.Load() || d.lags.Load() || d.side.age(now) >= d.slowAt || now-d.looped.Load() >= d.slowAt
}

// probeDisk writes and syncs an empty batch, unless others wait or the writers are about
// to end.
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
