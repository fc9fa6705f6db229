package linkdirectory

import "time"

// hits is an expected number of wrong hits, in 1e-12.
type hits int64

const oneHit hits = 1e12

func (h hits) float() float64 { return float64(h) / float64(oneHit) }

const (
	// slots is the number of hours in the meter: the running one and the 24 before, so
	// that it covers any 24 hours.
	slots = 25
	hour  = time.Hour
	// steps: a grant is this part of what the realm accepts in a day, at most.
	steps = 50
	// grantLookups bounds the look-ups of a grant, so that little is in doubt after a
	// failover.
	grantLookups = 1000
	// rare is the chance of a look-up that is never refused.
	rare hits = oneHit / 1e9
	// calmFailures is the number of failed look-ups a day that never make codes longer.
	calmFailures = 500
	// triedSlots is the number of slots that the longest life of a code reaches into.
	triedSlots = 3
	// glance is the number of look-ups after which the failed ones are counted again.
	glance = 20
	// blur is the largest part by which failed look-ups are overestimated.
	blur = 1.0 / 8
)

// meter bounds the expected number of wrong hits of a realm in any 24 hours: it
// is the sum of the chances of all look-ups among all codes that found nothing.
//
// What may be added is written ahead, so the meter of a new owner of the directory is at
// least at the last owner's. That is done in grants: the running slot is stored with all
// of its grant, and look-ups use up its room.
//
// A guesser must not learn from the meter whether a single look-up was near a live code
// and so added nothing. Therefore near ones use up room too, decisions go by values taken
// at a grant, and grants are of random size.
type meter struct {
	limit    hits // accepted in a day
	slots    [slots]slot
	hour     int64 // the latest slot, in hours since 1970
	room     hits  // rest of the grant
	used     hits  // of room since the last batch
	asked    hits  // grant that the next batch is to write; 0: none
	surplus  bool  // the next batch is to write that there is no room left
	level    hits  // the meter as decisions see it
	failures float64
	since    int // look-ups since failures was taken
	random   func() float64
	unknown  string
}

// slot is what one hour added.
type slot struct {
	amount   hits
	failures int64          // look-ups that found nothing, near ones aside
	tried    [classes]int64 // texts that a guesser may know to be no code
}

// percent is the part of the day's hits that look-ups of a length may use up: an attack on
// short codes leaves some to the longer ones, which are given out meanwhile.
func percent(length int) hits {
	switch {
	case length < 8:
		return 70
	case length < 10:
		return 85
	default:
		return 100
	}
}

func (m *meter) ceiling(length int) hits { return m.limit / 100 * percent(length) }

func (m *meter) step() hits { return max(m.limit/steps, 1) }

func (m *meter) running() *slot { return &m.slots[m.hour%slots] }

// roll makes the slot of the hour the running one. Nothing of it is written yet.
func (m *meter) roll(now time.Time) {
	h := now.UnixMilli() / hour.Milliseconds()
	if h <= m.hour {
		return
	}
	for i := max(m.hour+1, h-slots+1); i <= h; i++ {
		m.slots[i%slots] = slot{}
	}
	m.hour, m.room, m.used, m.asked = h, 0, 0, 0
	m.level = m.total()
	m.look(now)
}

// total is what all slots have.
func (m *meter) total() (sum hits) {
	for i := range m.slots {
		sum += m.slots[i].amount
	}
	return sum
}

// look counts the failed look-ups again: those of the last 24 hours, or of 24 hours like
// the last one if that is more.
func (m *meter) look(now time.Time) {
	m.since = 0
	day := int64(0)
	for i := range m.slots {
		day += m.slots[i].failures
	}
	m.failures = max(float64(day), 24*m.lastHour(now)) * (1 + blur*m.random())
}

// open reports whether a look-up of that chance may be made, and closes its length when
// there is no room for another grant.
func (m *meter) open(length int, chance hits) bool {
	switch ceiling := m.ceiling(length); {
	case chance <= rare:
		return true
	case m.level > ceiling:
		return false
	case chance <= m.room:
		return true
	default:
		full := m.total()+max(m.step(), chance) > ceiling
		if full { // no codes of this length are given out either
			m.level = ceiling + 1
		}
		return !full
	}
}

// spend uses up room for a look-up that found nothing; it reports whether there
// is enough. If not, a grant is asked for.
func (m *meter) spend(chance hits, now time.Time) bool {
	if chance > m.room {
		if m.asked == 0 {
			m.asked = hits(float64(min(m.step(), grantLookups*chance)) * (1 + m.random()) / 2)
		}
		m.asked = max(m.asked, chance)
		return false
	}
	m.room -= chance
	m.used += chance
	if m.since++; m.since >= glance {
		m.look(now)
	}
	return true
}

// add counts a look-up that found nothing. One near a live code could not have hit and
// adds nothing, nor does a text that cannot be a code.
func (m *meter) add(texts []class, chance hits, near bool) {
	s := m.running()
	for _, c := range texts {
		s.tried[c]++
	}
	if len(texts) > 0 && !near {
		s.amount += chance
		s.failures++
	}
}

// unwritten reports whether a head must be written.
func (m *meter) unwritten() bool { return m.asked > 0 || m.surplus }

// giveBack ends a grant early, so that it does not count when the directory is
// loaded again.
func (m *meter) giveBack() { m.room, m.surplus = 0, m.surplus || m.room > 0 }

// begin returns the room that the running slot has when the next head is written.
func (m *meter) begin() (room hits) {
	room = max(m.room, m.asked)
	m.used, m.asked, m.surplus = 0, 0, false
	return room
}

// granted makes use of the room that was written for the hour.
func (m *meter) granted(hour int64, room hits, now time.Time) {
	if hour != m.hour || room-m.used <= m.room {
		return
	}
	m.room = room - m.used
	m.level = m.total() + m.room
	m.look(now)
}

// shut reports whether a length is closed for codes of that chance.
func (m *meter) shut(length int, chance hits) bool {
	return chance > rare && m.level > m.ceiling(length)
}

// wait is how long look-ups of the chance are refused: until enough hours have left the
// meter.
func (m *meter) wait(length int, chance hits, now time.Time) time.Duration {
	left, ceiling := m.total()+max(m.step(), chance), m.ceiling(length)
	leaves := m.hour + 1
	for h := m.hour - slots + 1; h <= m.hour && left > ceiling; h++ {
		if s := m.slots[h%slots]; s.amount > 0 {
			left, leaves = left-s.amount, h+slots
		}
	}
	return time.UnixMilli(leaves * hour.Milliseconds()).Sub(now)
}

// lastHour is how many look-ups failed in the last 60 minutes.
func (m *meter) lastHour(now time.Time) float64 {
	const ms = float64(hour / time.Millisecond)
	before := m.slots[(m.hour-1+slots)%slots].failures
	part := 1 - float64(now.UnixMilli()%hour.Milliseconds())/ms
	return float64(m.running().failures) + part*float64(before)
}

// tries is how many texts of a class a guesser may have tried during the life of a code
// that is live now: in this hour and the two before it.
func (m *meter) tries(c class) (n int64) {
	for h := max(m.hour-triedSlots+1, 0); h <= m.hour; h++ {
		n += m.slots[h%slots].tried[c]
	}
	return n
}

// encodeHits is an expected number of wrong hits in a message.
func encodeHits(n float64) int64 { return int64(n * float64(oneHit)) }
