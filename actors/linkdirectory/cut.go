package linkdirectory

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
