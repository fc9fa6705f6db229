package replica

import (
	"errors"
	"slices"
	"time"

	"ssod/cluster"
	"ssod/cluster/replica/core"
	"ssod/persistence"
)

// write is the append goroutine. It is woken for jobs, and for commits of single-voter
// shards, for which it takes the turn itself.
func (e *Engine) write() {
	for open := true; open; {
		select {
		case <-e.appends.wake:
		case <-e.halt:
			open = false
		}
		for e.writeOnce() {
		}
	}
}

// writeOnce appends the queued log writes of all shards as one batch with one sync, and
// applies earlier commits while the disk syncs. It reports whether it did anything.
func (e *Engine) writeOnce() bool {
	if e.inbox.proposed() {
		e.advance(nil)
	}
	jobs, began := e.appends.take(e.disk.now()), time.Now()
	writing, err := e.begin(jobs)
	if err != nil {
		e.fail(err)
		return false
	}
	applied := e.applyWaiting()
	if writing == nil {
		return applied
	}
	if err := writing.Wait(); err != nil {
		e.fail(err)
		return false
	}
	e.appends.done()
	e.disk.appended(jobs, time.Since(began))
	e.advance(func(c *core.Core) {
		for _, j := range jobs {
			c.AppendDone(j)
		}
	})
	return !e.failed.Load()
}

// begin starts to write jobs; nil when there are none.
func (e *Engine) begin(jobs []*core.AppendJob) (*persistence.Write, error) {
	if len(jobs) == 0 || e.failed.Load() {
		return nil, nil
	}
	writes, sync := jobs[0].Writes, jobs[0].Sync
	for _, j := range jobs[1:] {
		writes, sync = append(writes, j.Writes...), sync || j.Sync
	}
	e.meters.size.Observe(float64(len(writes)))
	return e.cfg.Log.Begin(writes, sync)
}

// apply is the apply goroutine, for what comes while the append goroutine waits for the
// disk.
func (e *Engine) apply() {
	for open := true; open; {
		select {
		case <-e.applies.wake:
		case <-e.halt:
			open = false
		}
		e.applyWaiting()
		e.appends.nudge()
	}
}

// applyWaiting does the queued apply jobs in order, or leaves them to a goroutine that is
// at it already. It reports whether it did any.
func (e *Engine) applyWaiting() (did bool) {
	for e.applies.waiting() && e.applying.TryLock() {
		did = e.applyJobs(e.applies.take(e.disk.now()))
		e.applying.Unlock()
	}
	return did
}

// applyJobs does and reports jobs, unless the engine has failed.
func (e *Engine) applyJobs(jobs []*core.ApplyJob) bool {
	if len(jobs) == 0 || e.failed.Load() {
		return false
	}
	defer e.brokenOutside()
	switch err := core.RunAll(jobs, e.cfg.Log); {
	case errors.Is(err, persistence.ErrClosed):
		return false // the engine is closing; the log has the entries
	case err != nil:
		e.fail(err)
		return false
	}
	e.applies.done()
	meta := slices.ContainsFunc(jobs, func(j *core.ApplyJob) bool { return j.Concerns(cluster.MetaShard) })
	e.advance(func(c *core.Core) {
		for _, j := range jobs {
			c.ApplyDone(j)
		}
	})
	if meta {
		e.cfg.MetaApplied()
	}
	return true
}
