package linkdirectory

import "time"

// alertPause is the least time between two alerts of a kind.
const alertPause = time.Hour

// alerts are what operators know of the meter.
type alerts struct {
	closed               [MaxLength + 1]bool // lengths
	halfUntil, shutUntil int64               // ms; no alert of that kind before
}

// report tells operators the meter and the closed lengths.
func (d *directory) report(now time.Time) {
	m := &d.meter
	if m.limit == 0 { // no command has said what the realm accepts
		return
	}
	m.roll(now)
	expected, ms := m.total(), now.UnixMilli()
	var closed, newly []int
	for length := MinLength; length <= MaxLength; length++ {
		c := classOf(length, d.alphanumeric)
		shut := m.shut(length, d.chance(c, max(d.byClass[c], 1)))
		if shut {
			closed = append(closed, length)
			if !d.alerts.closed[length] {
				newly = append(newly, length)
			}
		}
		d.alerts.closed[length] = shut
	}
	d.observe.metered(expected, m.limit, closed)
	if expected > m.limit/2 && ms >= d.alerts.halfUntil {
		d.alerts.halfUntil = ms + alertPause.Milliseconds()
		d.observe.halfUsed(expected, m.limit)
	}
	if newly != nil && ms >= d.alerts.shutUntil {
		d.alerts.shutUntil = ms + alertPause.Milliseconds()
		d.observe.lengthsClosed(newly, expected, m.limit)
	}
}
