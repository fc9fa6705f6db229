package linkdirectory

// cut gives up the unused codes that were reserved later than now, before the time of the
// shard was set back: they would stay for as long as that was ahead.
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
