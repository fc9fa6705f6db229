package replica

import (
	"errors"
	"slices"
	"time"

	"ssod/cluster"
	"ssod/cluster/replica/core"
	"ssod/persistence"
)

// write is the append goroutine. It is woken for jobs, and for commits that
// nobody but this node's disk has to know of: then it takes the turn itself.
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

// writeOnce appends what waits: the log writes of all shards and of all rounds
// that came meanwhile are one batch with one sync. What was committed before is
// applied while the disk syncs. It reports whether it found anything to do.
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

// begin begins to write jobs; nil when there are none.
func (e *Engine) begin(jobs []*core.AppendJob) (*persistence.Write, error) {
	if len(jobs) == 0 || e.failed.Load() {
		return nil, nil
	}
	writes, sync := jobs[0].Writes, jobs[0].Sync
	if len(jobs) > 1 {
		n := 0
		for _, j := range jobs {
			n += len(j.Writes)
			sync = sync || j.Sync
		}
		writes = make([]core.LogWrite, 0, n)
		for _, j := range jobs {
			writes = append(writes, j.Writes...)
		}
	}
	e.meters.size.Observe(float64(len(writes)))
	return e.cfg.Log.Begin(writes, sync)
}

// apply is the apply goroutine. It applies what comes while the append
// goroutine waits for the disk.
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

// applyWaiting does the apply jobs that wait, in order. If somebody is at it
// already, that one does these too. It reports whether it did any.
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
	defer e.brokenBeside()
	switch err := core.RunAll(jobs, e.cfg.Log); {
	case errors.Is(err, persistence.ErrClosed):
		return false // the engine ends; the log has the entries
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
