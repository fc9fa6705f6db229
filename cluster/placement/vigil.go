package placement

import (
	"context"
	"sync"
	"time"
)

// vigil is since when this node listens to the others. Who was stopped, or sent
// to sleep, has not heard anybody meanwhile and can say nothing about it.
type vigil struct {
	mu          sync.Mutex
	since, last time.Time
	met         map[NodeID]time.Time // when this node learned of another
}

// meet notes that another node is a member.
func (v *vigil) meet(n NodeID, now time.Time) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if _, known := v.met[n]; known {
		return
	}
	if v.met == nil {
		v.met = map[NodeID]time.Time{}
	}
	v.met[n] = now
}

// metAt is when this node learned of another; the zero time: never.
func (v *vigil) metAt(n NodeID) time.Time {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.met[n]
}

// look notes that the node listens now, and begins anew after a gap.
func (v *vigil) look(now time.Time, gap time.Duration) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.since.IsZero() || now.Sub(v.last) > gap {
		v.since = now
	}
	v.last = now
}

// silence is for how long this node has listened for another, which it heard at a
// time, and not heard it; the zero time: never.
func (v *vigil) silence(n NodeID, now, heard time.Time, gap time.Duration) time.Duration {
	v.mu.Lock()
	defer v.mu.Unlock()
	met, known := v.met[n]
	if !known || v.since.IsZero() || now.Sub(v.last) > gap {
		return 0
	}
	for _, from := range []time.Time{v.since, met} {
		if heard.Before(from) {
			heard = from
		}
	}
	return max(0, now.Sub(heard))
}

// listen keeps the vigil.
func (p *Placement) listen(context.Context) { p.vigil.look(time.Now(), p.gap()) }

// gap is for how long the node may not have looked and still count as listening:
// a busy machine is not asleep.
func (p *Placement) gap() time.Duration { return p.cfg.SilentFor / 3 }

// silence is for how long this node is sure not to have heard another.
func (p *Placement) silence(n NodeID) time.Duration {
	if n == p.self {
		return 0
	}
	return p.vigil.silence(n, time.Now(), p.cfg.LastHeard(n), p.gap())
}
