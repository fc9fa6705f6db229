package placement

import (
	"context"
	"sync"
	"time"
)

// vigil is since when this node has been listening to the others without a gap: a process
// that was paused cannot tell which nodes were silent meanwhile.
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

// look notes that the node listens now, and starts again after a gap.
func (v *vigil) look(now time.Time, gap time.Duration) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.since.IsZero() || now.Sub(v.last) > gap {
		v.since = now
	}
	v.last = now
}

// silence is how long this node has listened without hearing another, which it last heard
// at a time; the zero time: never.
func (v *vigil) silence(n NodeID, now, heard time.Time, gap time.Duration) time.Duration {
	v.mu.Lock()
	defer v.mu.Unlock()
	met, known := v.met[n]
	if !known || v.since.IsZero() || now.Sub(v.last) > gap {
		return 0
	}
	return max(0, now.Sub(later(heard, later(v.since, met))))
}

// listen keeps the vigil.
func (p *Placement) listen(context.Context) { p.vigil.look(time.Now(), p.gap()) }

// gap is the longest time between two looks that still counts as listening.
func (p *Placement) gap() time.Duration { return p.cfg.SilentFor / 3 }

// silence is how long this node has certainly not heard another.
func (p *Placement) silence(n NodeID) time.Duration {
	if n == p.self {
		return 0
	}
	return p.vigil.silence(n, time.Now(), p.cfg.LastHeard(n), p.gap())
}
