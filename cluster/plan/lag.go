package plan

import (
	"slices"
	"time"
)

const (
	// lagFactor is how many times as long as the median of the others a node's
	// appends take when its disk lags, and lagFloor what they take at least then: a
	// disk that is five times slower than a very quick one is not slow.
	lagFactor = 5
	lagFloor  = 20 * time.Millisecond
	// A disk that lags does so no more when its appends take at most twice as long
	// as the others', or half of lagFloor.
	calmFactor = 2
	// lagFor is for how long either must be so before it counts.
	lagFor = 30 * time.Second
)

// Lag judges whether a node's disk lags behind those of the others, by what a
// synced append takes on each lately. The zero value has seen nothing.
//
// What is compared is the median of the others. So when all disks are slow, or half
// of them, as behind one storage, none lags: leaderships would not be better off
// elsewhere.
type Lag struct {
	lags  bool
	since time.Time // of what speaks for the opposite, without interruption; zero: nothing
}

// Judge reports whether the disk lags at a time. 0 is what an append takes where none
// was written lately: then nothing speaks for a change.
func (l *Lag) Judge(now time.Time, own time.Duration, others []time.Duration) bool {
	if own == 0 || !l.contradicts(own, Median(others)) {
		l.since = time.Time{}
		return l.lags
	}
	if l.since.IsZero() {
		l.since = now
	}
	if now.Sub(l.since) >= lagFor {
		l.lags, l.since = !l.lags, time.Time{}
	}
	return l.lags
}

// contradicts reports whether what appends take speaks for the opposite of what
// counts.
func (l *Lag) contradicts(own, others time.Duration) bool {
	if l.lags {
		return own <= lagFloor/2 || others > 0 && own <= calmFactor*others
	}
	return others > 0 && own > lagFloor && own > lagFactor*others
}

// Median is the middle one of those that are known, or the middle between the two in
// the middle; 0 if none is.
func Median(all []time.Duration) time.Duration {
	all = slices.DeleteFunc(slices.Clone(all), func(d time.Duration) bool { return d == 0 })
	slices.Sort(all)
	half := len(all) / 2
	switch {
	case len(all) == 0:
		return 0
	case len(all)%2 == 1:
		return all[half]
	}
	return all[half-1] + (all[half]-all[half-1])/2
}

// AppendMeter averages what appends take over the last seconds. The zero value has
// seen nothing.
type AppendMeter struct{ seen []appendCount }

type appendCount struct {
	at   time.Time
	n    uint64
	took time.Duration
}

const (
	// meterStep is the least time between two counts that are kept, meterSpan the
	// time over which the average is taken.
	meterStep = time.Second
	meterSpan = 5 * time.Second
	// meterLeast is how many appends an average needs.
	meterLeast = 3
)

// Count takes note of how many appends there were up to a time, and how long they
// took together. It returns what one takes lately; 0: too few were written.
func (m *AppendMeter) Count(now time.Time, n uint64, took time.Duration) time.Duration {
	if len(m.seen) == 0 || now.Sub(m.seen[len(m.seen)-1].at) >= meterStep {
		m.seen = append(m.seen, appendCount{now, n, took})
	}
	for len(m.seen) > 2 && now.Sub(m.seen[1].at) >= meterSpan {
		m.seen = slices.Delete(m.seen, 0, 1)
	}
	from := m.seen[0]
	if now.Sub(from.at) < meterSpan || n-from.n < meterLeast {
		return 0
	}
	return (took - from.took) / time.Duration(n-from.n)
}
