package placement

import (
	"context"
	"slices"
	"time"

	"ssod/cluster/replica/core"
)

const (
	// maxSkew is how far a node's clock may be from the median of all that are measured,
	// and ahead of what a majority's allow.
	maxSkew = core.Tolerance
	// calmSkew is how close it must get before the node accepts leads again.
	calmSkew = time.Second
	// fewestClocks is how many clocks must be known, this node's included: of two either
	// may be wrong.
	fewestClocks = 3
)

// Skew is how this node's clock compares with the others'.
type Skew struct {
	// Ahead is how far it is ahead of the median, negative if it is behind; if Refused,
	// of what a majority of the voters' clocks allow.
	Ahead time.Duration
	// Off: it is so far off that this node leads nothing.
	Off bool
	// Refused: it is ahead of what a majority of the voters' clocks allow, so that this
	// node commits nothing.
	Refused bool
}

// Skew is the last measurement.
func (p *Placement) Skew() Skew { return *p.skew.Load() }

// watchClock compares this node's clock with the others'. While it is off, the node
// accepts no leads and hands over those that it has.
func (p *Placement) watchClock(ctx context.Context) {
	was := p.Skew()
	now, ok := p.measure(was)
	if !ok {
		return
	}
	p.skew.Store(&now)
	if now.Off != was.Off {
		p.wake() // announce it
		p.cfg.Log.Warn("this node's clock was compared with the others'", "off", now.Off, "ahead", now.Ahead.Round(time.Millisecond).String())
	}
	if now.Off {
		p.stepDown(ctx)
	}
}

// measure compares the clocks that are known; false when too few are to judge. Whether a
// majority of the voters' clocks allow this one is judged even among two: the one that is
// ahead gives way.
func (p *Placement) measure(was Skew) (Skew, bool) {
	limit := maxSkew
	if was.Off {
		limit = calmSkew
	}
	if ahead := p.engine.Ahead(); ahead > limit {
		return Skew{Ahead: ahead, Off: true, Refused: true}, true
	}
	others := p.registry.others(p.self)
	if len(others)+1 < fewestClocks || p.reached(others) < fewestClocks {
		return Skew{}, true
	}
	offsets := []time.Duration{0}
	for _, n := range others {
		if offset, ok := p.cfg.Offset(n.ID); ok {
			offsets = append(offsets, offset)
		}
	}
	if len(offsets) < fewestClocks {
		return was, false
	}
	ahead := -median(offsets)
	return Skew{Ahead: ahead, Off: ahead.Abs() > limit}, true
}

// reached counts the nodes that are alive, this one included.
func (p *Placement) reached(others []Node) int {
	n := 1
	for _, o := range others {
		if p.Alive(o.ID) {
			n++
		}
	}
	return n
}

// median is the middle one, or the mean of the two in the middle.
func median(all []time.Duration) time.Duration {
	slices.Sort(all)
	half := len(all) / 2
	if len(all)%2 == 1 {
		return all[half]
	}
	return all[half-1] + (all[half]-all[half-1])/2
}

// declines reports whether this node accepts no leads.
func (p *Placement) declines() bool {
	return p.notAccepting.Load() || p.Skew().Off || p.badDisk() || p.leaves()
}
