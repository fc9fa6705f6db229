package linkdirectory

import "time"

const (
	// minute is the window of the realm's budget.
	minute = time.Minute
	// maxClosing bounds how long short codes are closed at a time.
	maxClosing = 60
	// calm is how long short codes must have been open for the next closing to
	// be a short one again.
	calm = time.Hour
	// successShare: failures may be one in so many successes of the minute.
	successShare = 10
)

// realm counts the failed guesses of all guessers together, and closes short
// codes when there are too many: sso-service.md 4, realm budget.
type realm struct {
	start               int64 // ms, of the running minute
	failures, successes int
	closedUntil         int64 // ms
	closedMinutes       int   // length of the last closing
	changed             bool
	unknown             string // fields of a later version
}

// closed returns for how many ms short codes stay closed.
func (r *realm) closed(now time.Time) (ms int64, closed bool) {
	ms = r.closedUntil - now.UnixMilli()
	return max(ms, 0), ms > 0
}

// roll begins a new minute when the last is over. Minutes are those of the
// clock, so they need no guess to begin.
func (r *realm) roll(now time.Time) {
	start := now.Truncate(minute).UnixMilli()
	if start != r.start {
		r.start, r.failures, r.successes = start, 0, 0
	}
}

func (r *realm) succeed(now time.Time) {
	r.roll(now)
	r.successes++
	r.changed = true
}

// fail counts a failed guess. It returns for how long short codes are closed by
// it, 0 for not at all.
func (r *realm) fail(budget int, now time.Time) (closing time.Duration) {
	r.roll(now)
	r.failures++
	r.changed = true
	if _, closed := r.closed(now); closed || r.failures < max(budget, r.successes/successShare) {
		return 0
	}
	return r.close(now)
}

// close closes short codes, for twice as long as the last time while failures
// go on.
func (r *realm) close(now time.Time) time.Duration {
	ms := now.UnixMilli()
	if r.closedMinutes > 0 && ms-r.closedUntil < calm.Milliseconds() {
		r.closedMinutes = min(2*r.closedMinutes, maxClosing)
	} else {
		r.closedMinutes = 1
	}
	closing := time.Duration(r.closedMinutes) * time.Minute
	r.closedUntil = ms + closing.Milliseconds() // in another minute: it begins with no failures
	return closing
}
