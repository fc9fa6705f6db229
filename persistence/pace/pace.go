// Package pace lets long work in the background give way to requests.
//
// Such work is done in short pieces with a rest after each. A rest is a multiple of
// what the piece took on the wall clock, so that work slows down by itself where
// others want the processors, because there a piece takes longer. While the machine
// is busy, which shows in rests that end late, the multiple is larger.
package pace

import "time"

const (
	// piece is for how long work goes on without a rest: requests that come
	// meanwhile may wait for so long.
	piece = time.Millisecond
	// idleRest and busyRest are the multiples: an eighth of a processor while the
	// machine has time for it, a fortieth while it has not.
	idleRest, busyRest = 7, 39
	// late is by how much a rest ends too late on a busy machine.
	late = time.Millisecond
)

// Pace is that of one work. It belongs to one goroutine.
type Pace struct {
	began time.Time // of the piece
	busy  bool
}

// Begin begins the first piece.
func Begin() *Pace { return &Pace{began: time.Now()} }

// Due reports whether the piece was long enough.
func (p *Pace) Due() bool { return time.Since(p.began) >= piece }

// Rest waits after a piece, for as long as it should within bounds, and begins the
// next. It returns false when stop was closed.
func (p *Pace) Rest(stop <-chan struct{}, least, most time.Duration) bool {
	rest := p.rest(time.Since(p.began), least, most)
	timer := time.NewTimer(rest)
	defer timer.Stop()
	from := time.Now()
	select {
	case <-timer.C:
		p.began = time.Now()
		p.busy = p.began.Sub(from) > rest+late
		return true
	case <-stop:
		return false
	}
}

// rest is how long to rest after a piece that took so long.
func (p *Pace) rest(took, least, most time.Duration) time.Duration {
	times := time.Duration(idleRest)
	if p.busy {
		times = busyRest
	}
	return max(least, min(most, times*took))
}
