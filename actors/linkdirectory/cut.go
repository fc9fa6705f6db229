package linkdirectory

import "time"

// What is stored may be later than now, when the time of the directory's shard was
// set back since. Else it would stay for as long as that was ahead.

// cut gives up the codes that are not used yet and were reserved later than now.
func (l *loader) cut() {
	for i, e := range l.found {
		if e.retired || e.notBefore() <= l.now {
			continue
		}
		r := retirement{hash: l.due[i].hash, at: l.now}
		e.live, e.patterns = false, patterns{}
		e.retire(r)
		l.retired.add(r)
	}
	for i, e := range l.found {
		l.due[i].at = e.next()
	}
}

// cut lets short codes be closed no longer than they are when they are closed now.
func (r *realm) cut(now time.Time) {
	longest := now.Add(time.Duration(r.closedMinutes) * time.Minute).UnixMilli()
	r.closedUntil = min(r.closedUntil, longest)
	r.start = min(r.start, now.UnixMilli())
}
