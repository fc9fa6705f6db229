package linkdirectory

import "time"

// message returns the meter with that room, as stored.
func (m *meter) message(room hits) *Meter {
	out := &Meter{Room: int64(room), Slots: make([]*Slot, 0, slots)}
	var all [slots]Slot
	for h := max(m.hour-slots+1, 0); h <= m.hour; h++ {
		s := &m.slots[h%slots]
		one := &all[h%slots]
		one.Hour, one.Amount, one.Failures = h, int64(s.amount), s.failures
		if h > m.hour-triedSlots && s.tried != [classes]int64{} {
			one.Tried = s.tried[:]
		}
		if one.Amount != 0 || one.Failures != 0 || one.Tried != nil || h == m.hour && room > 0 {
			out.Slots = append(out.Slots, one)
		}
	}
	setUnknown(out, m.unknown)
	return out
}

// load takes over a stored meter: all room counts as used up. What was added later than
// now, before the time of the shard was set back, counts as added now.
func (m *meter) load(in *Meter, now time.Time) {
	m.roll(now)
	m.unknown = string(in.ProtoReflect().GetUnknown())
	for i, s := range in.GetSlots() {
		h := min(s.GetHour(), m.hour)
		if h <= m.hour-slots {
			continue
		}
		at := &m.slots[h%slots]
		at.amount += hits(s.GetAmount())
		at.failures += s.GetFailures()
		for c, n := range s.GetTried()[:min(len(s.GetTried()), classes)] {
			at.tried[c] += n
		}
		if i == len(in.GetSlots())-1 {
			at.amount += hits(in.GetRoom())
		}
	}
	m.level = m.total()
	m.look(now)
}
