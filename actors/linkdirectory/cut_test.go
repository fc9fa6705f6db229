package linkdirectory

import (
	"testing"
	"time"
)

// After the time of a directory was set back nothing of its future lasts: codes
// that were reserved then are given up, windows and closings end as if they had
// begun now.
func TestADirectoryOfTheFutureIsCut(t *testing.T) {
	const ahead = 410 * 24 * time.Hour
	r := newRealm(t)
	before := r.give()
	used := r.give()
	r.after(ahead)
	future := r.give()
	r.guess("000000", 7, 7)
	for r.realm.closedUntil == 0 {
		r.realm.fail(1, r.now)
	}
	use(r, used)
	r.commit()
	r.after(-ahead)
	r.restart()
	if reply, _ := r.guess(future.code, 1, 1); reply.Failure == Failure_OK {
		t.Error("a code of the future can be resolved")
	}
	if e := r.codes[[HashSize]byte(future.hash)]; e == nil || e.live || e.keepUntil > r.now.Add(ttl).UnixMilli() {
		t.Errorf("a code of the future: %+v", e)
	}
	if end := r.realm.closedUntil; end > r.now.Add(maxClosing*time.Minute).UnixMilli() {
		t.Errorf("short codes are closed until %v", time.UnixMilli(end))
	}
	if x := r.devices.current(7, r.now); x != nil && x.end() > r.now.Add(guessWindow).UnixMilli() {
		t.Errorf("a guess window ends at %v", time.UnixMilli(x.end()))
	}
	r.after(2*ttl + time.Minute)
	for _, g := range []given{before, used, future} {
		r.advance(r.now, 1<<10)
		if _, known := r.codes[[HashSize]byte(g.hash)]; known {
			t.Error("a code is kept for ever")
		}
	}
}
