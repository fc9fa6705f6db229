package plan

import (
	"slices"
	"time"
)

const (
	// A disk lags when its appends take longer than lagFactor times the median of the
	// others, and longer than lagFloor: five times slower than very quick is not slow.
	lagFactor = 5
	lagFloor  = 20 * time.Millisecond
	// It stops lagging when they take at most calmFactor times as long as the others', or
	// half of lagFloor.
	calmFactor = 2
	// lagFor is how long either must last before it counts.
	lagFor = 30 * time.Second
)

// Lag judges whether a node's disk lags behind those of the others, by the recent times of
// their synced appends. The zero value has seen nothing.
//
// It compares with the median of the others. So when at least half of the disks are slow,
// as on shared storage, none lags: leaderships would not be better off elsewhere.
type Lag struct {
	lags  bool
	since time.Time // of uninterrupted evidence for the opposite; zero: there is none
}

// Judge reports whether the disk lags at a time. Times are 0 where nothing was appended
// lately, which is no evidence.
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

// contradicts reports evidence for the opposite of the present judgement.
func (l *Lag) contradicts(own, others time.Duration) bool {
	if l.lags {
		return own <= lagFloor/2 || others > 0 && own <= calmFactor*others
	}
	return others > 0 && own > lagFloor && own > lagFactor*others
}

// Median is that of the times that are not 0; 0 if there are none.
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

// AppendMeter averages the time of appends over the last seconds. The zero value has seen
// nothing.
type AppendMeter struct{ seen []appendCount }

type appendCount struct {
	at   time.Time
	n    uint64
	took time.Duration
}

const (
	// meterStep is the least time between two counts that are kept, meterSpan the time
	// of the average.
	meterStep = time.Second
	meterSpan = 5 * time.Second
	// meterLeast is how many appends an average needs.
	meterLeast = 3
)

// Count takes the number of appends up to a time, and their total time. It returns the
// recent average; 0 if there were too few.
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
