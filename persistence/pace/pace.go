// Package pace lets long background work yield to requests.
//
// Such work is done in short pieces with a rest after each. A rest is a multiple of the
// piece's duration on the wall clock, so that work slows down by itself when the
// processors are busy, because then a piece takes longer. While rests end late, another
// sign of a busy machine, the multiple is larger.
package pace

import "time"

const (
	// piece is the time between rests: requests may have to wait for so long.
	piece = time.Millisecond
	// idleRest and busyRest are the multiples: an eighth of a processor on an idle
	// machine, a fortieth on a busy one.
	idleRest, busyRest = 7, 39
	// late is the least delay of a rest on a busy machine.
	late = time.Millisecond
)

// Pace is the pace of one goroutine.
type Pace struct {
	began time.Time // of the piece
	busy  bool
}

// Begin begins the first piece.
func Begin() *Pace { return &Pace{began: time.Now()} }

// Due reports whether a rest is due.
func (p *Pace) Due() bool { return time.Since(p.began) >= piece }

// Rest waits after a piece, within bounds, and begins the next. It returns false when stop
// is closed.
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

// rest is the rest after a piece of a duration.
func (p *Pace) rest(took, least, most time.Duration) time.Duration {
	times := time.Duration(idleRest)
	if p.busy {
		times = busyRest
	}
	return max(least, min(most, times*took))
}
