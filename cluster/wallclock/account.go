package wallclock

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"
)

const (
	// Stand is for how much uptime a clock must stay ahead of the time that passed until
	// that is believed.
	Stand = 24 * time.Hour
	// Large is the size from which on leaps are reported to operators.
	Large = time.Hour
	// noise is how far the clock may be ahead without being a leap: clocks are corrected
	// in small steps. When these add up to more it is a leap.
	noise = time.Second
	// maxLeaps bounds the leaps that are remembered one by one. With more, the last two
	// become one, as young as the last.
	maxLeaps = 64
)

// account is the confirmed time and how far the clock is ahead of it. It is a plain state
// machine without a clock.
type account struct {
	// Confirmed is the confirmed time.
	Confirmed time.Time `json:"confirmed"`
	// Up is the uptime when that was the time, over all runs.
	Up time.Duration `json:"up"`
	// Leaps are not confirmed yet, the oldest first. Their sum is how far the clock is
	// ahead of the confirmed time.
	Leaps []leap `json:"leaps,omitempty"`
	// SetBack is when an operator last had the time set back.
	SetBack time.Time `json:"setBack"`
}

type leap struct {
	Size time.Duration `json:"size"`
	At   time.Duration `json:"at"` // uptime
}

// observe takes the clock at an uptime.
func (a *account) observe(wall time.Time, up time.Duration) {
	a.Confirmed = a.Confirmed.Add(up - a.Up)
	a.Up = up
	ahead := max(0, wall.Sub(a.Confirmed))
	if pending := a.pending(); ahead > pending+noise {
		a.leap(ahead - pending)
	} else if ahead < pending {
		a.fallBack(pending - ahead)
	}
	for len(a.Leaps) > 0 && up-a.Leaps[0].At >= Stand {
		a.confirm(a.Leaps[0].Size)
	}
}

// pending is the sum of the leaps.
func (a *account) pending() (sum time.Duration) {
	for _, l := range a.Leaps {
		sum += l.Size
	}
	return sum
}

func (a *account) leap(size time.Duration) {
	if n := len(a.Leaps); n == maxLeaps {
		size += a.Leaps[n-1].Size
		a.Leaps = a.Leaps[:n-1]
	}
	a.Leaps = append(a.Leaps, leap{Size: size, At: a.Up})
}

// fallBack takes back what the clock was set back by, from the last leaps first: how far it
// is ahead must stand, however often it was set.
func (a *account) fallBack(by time.Duration) {
	for n := len(a.Leaps) - 1; by > 0 && n >= 0; n-- {
		cut := min(by, a.Leaps[n].Size)
		by -= cut
		if a.Leaps[n].Size -= cut; a.Leaps[n].Size == 0 {
			a.Leaps = a.Leaps[:n]
		}
	}
}

// confirm moves the confirmed time on, through the oldest leaps first.
func (a *account) confirm(by time.Duration) {
	a.Confirmed = a.Confirmed.Add(by)
	for by > 0 && len(a.Leaps) > 0 {
		cut := min(by, a.Leaps[0].Size)
		by -= cut
		if a.Leaps[0].Size -= cut; a.Leaps[0].Size == 0 {
			a.Leaps = slices.Delete(a.Leaps, 0, 1)
		}
	}
}

// learn takes over a confirmed time, as far as the clock is not behind it.
func (a *account) learn(confirmed time.Time) {
	limit := a.Confirmed.Add(a.pending())
	if confirmed.After(limit) {
		confirmed = limit
	}
	if by := confirmed.Sub(a.Confirmed); by > 0 {
		a.confirm(by)
	}
}

// setBack goes back to the clock if the confirmed time is ahead of it, once for each
// decision of an operator.
func (a *account) setBack(wall, at time.Time) {
	if a.SetBack.Equal(at) {
		return
	}
	a.SetBack = at
	if a.Confirmed.After(wall) {
		a.Confirmed, a.Leaps = wall, nil
	}
}

func (a *account) encode() []byte {
	b, err := json.Marshal(a)
	if err != nil {
		panic(err) // times and integers
	}
	return b
}

func decode(b []byte) (account, error) {
	var a account
	if err := json.Unmarshal(b, &a); err != nil {
		return a, fmt.Errorf("decode the account of the clock: %w", err)
	}
	a.Confirmed = a.Confirmed.Round(0)
	return a, nil
}
