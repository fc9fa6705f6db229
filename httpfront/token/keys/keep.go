package keys

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// keepPause is how often the keeper looks without a notification.
	keepPause = 5 * time.Second
	// reportPause is how often it says how far it is.
	reportPause = 5 * time.Second
	// roundTime is how long keys gather before they are published together: each
	// change of the table costs every node some milliseconds.
	roundTime = time.Second
	// batch is how many keys are published at once, so that a change fits into a
	// message.
	batch = 256
)

// made is a key that is not published yet.
type made struct {
	wanted
	material
}

// Keep makes the keys that are missing, in the background, until ctx ends: those of
// realms that never needed one, those of another algorithm that a new configuration
// asks for, and those of rotations. In a cluster one node does, the one that leads
// the meta table; what it began, the next one ends. Beside that it looks after the sealing
// keys, on every node.
func (r *Ring) Keep(ctx context.Context) {
	var beside sync.WaitGroup
	beside.Go(func() { r.keepSealed(ctx) })
	defer beside.Wait()
	tick := time.NewTicker(keepPause)
	defer tick.Stop()
	for ctx.Err() == nil {
		news := r.news.wait()
		if r.leads() {
			if err := r.KeepUp(ctx); err != nil && ctx.Err() == nil {
				r.log.Warn("keys are still to be made", "error", err)
			}
		}
		select {
		case <-news:
		case <-tick.C:
		case <-ctx.Done():
		}
	}
}

// KeepUp makes all keys that are due, and deletes those that verify nothing any more.
func (r *Ring) KeepUp(ctx context.Context) error {
	report := reporter{ring: r, next: time.Now().Add(reportPause)}
	for {
		jobs := r.snapshot().due(r.now())
		if len(jobs) == 0 {
			report.end()
			return r.tidy(ctx)
		}
		if err := r.round(ctx, jobs); err != nil {
			return err
		}
		report.say()
	}
}

// round makes some of the keys and publishes them.
func (r *Ring) round(ctx context.Context, jobs []job) error {
	var list []made
	var err error
	if jobs[0].slow() {
		list, err = r.makeSlow(ctx, jobs)
	} else {
		for _, j := range jobs[:min(len(jobs), batch)] {
			if !j.slow() {
				list = append(list, made{j.wanted, random()})
			}
		}
	}
	if len(list) > 0 {
		err = r.publish(ctx, list)
	}
	for _, m := range list {
		if m.slow() {
			r.flights.land(m.groupID, err)
		}
	}
	return err
}

// makeSlow makes keys for a while, or until a request waits for one of them. What
// it returns has joined the flights. The error counts when it returns nothing.
func (r *Ring) makeSlow(ctx context.Context, jobs []job) (list []made, err error) {
	var mu sync.Mutex
	var next atomic.Int64
	var workers sync.WaitGroup
	enough := time.Now().Add(roundTime)
	for range r.parallel {
		workers.Go(func() {
			for i := next.Add(1); int(i) <= len(jobs); i = next.Add(1) {
				m, taken, makeErr := r.makeOne(ctx, jobs[i-1].wanted)
				mu.Lock()
				if taken && makeErr == nil {
					list = append(list, m)
				}
				if makeErr != nil {
					err = makeErr
				}
				full := err != nil || len(list) >= batch
				mu.Unlock()
				if full || !time.Now().Before(enough) || r.flights.waiting.Load() > 0 {
					return
				}
			}
		})
	}
	workers.Wait()
	if len(list) == 0 && err == nil { // requests make all of them
		err = r.awaitAny(ctx, jobs)
	}
	return list, err
}

// makeOne makes a key unless another goroutine does. Then its flight must be landed.
func (r *Ring) makeOne(ctx context.Context, want wanted) (m made, taken bool, err error) {
	if _, taken = r.flights.join(want.groupID); !taken {
		return m, false, nil
	}
	material, err := r.background.make(ctx, want)
	if err != nil {
		r.flights.land(want.groupID, err)
	}
	return made{want, material}, true, err
}

// awaitAny waits for the first of some keys that others make.
func (r *Ring) awaitAny(ctx context.Context, jobs []job) error {
	f, first := r.flights.join(jobs[0].groupID)
	if first { // it has landed meanwhile
		r.flights.land(jobs[0].groupID, nil)
		return nil
	}
	select {
	case <-f.done:
		return nil // what came of it, the next round sees
	case <-ctx.Done():
		return ctx.Err()
	}
}

// publish stores those of the keys that are still to be made.
func (r *Ring) publish(ctx context.Context, list []made) error {
	return r.edit(ctx, Table, func(s *snapshot, c *change) error {
		now := r.now()
		c.deletes = s.forgotten(r.over())
		for _, m := range list {
			want, configured := s.wants.find(m.groupID)
			j, due := s.job(want, now)
			if !configured || !due || want.algorithm != m.algorithm {
				continue
			}
			if err := r.add(c, s, j, m.material, now.Add(j.after)); err != nil {
				return err
			}
		}
		return nil
	})
}

// over is the time by which keys are forgotten.
func (r *Ring) over() time.Time {
	now, passed := r.now(), r.passed()
	if passed.Before(now) {
		return passed
	}
	return now
}

// tidy ends rotations that are done and deletes keys that verify nothing any more.
func (r *Ring) tidy(ctx context.Context) error {
	err := r.edit(ctx, Table, func(s *snapshot, c *change) error {
		c.deletes = s.forgotten(r.over())
		return nil
	})
	if err != nil {
		return err
	}
	return r.edit(ctx, Orders, func(s *snapshot, c *change) error {
		c.deletes = s.finished(r.now())
		return nil
	})
}

// reporter logs the progress of the keys.
type reporter struct {
	ring *Ring
	next time.Time
	said bool
}

func (p *reporter) say() {
	if now := time.Now(); now.After(p.next) {
		p.next, p.said = now.Add(reportPause), true
		p.tell()
	}
}

// end tells the end of what was told.
func (p *reporter) end() {
	if p.said {
		p.tell()
	}
}

func (p *reporter) tell() {
	of := p.ring.Progress()
	p.ring.log.Info(fmt.Sprintf("keys made %d of %d", of.Made, of.Wanted))
}
