package linkdirectory

import (
	"testing"
	"time"
)

// After the time of a directory was set back nothing of its future lasts: codes
// that were reserved then are given up, windows end as if they had begun now, and
// what was expected to be hit then counts as if it were now.
func TestADirectoryOfTheFutureIsCut(t *testing.T) {
	const ahead = 410 * 24 * time.Hour
	r := newRealm(t)
	before := r.give()
	used := r.give()
	r.after(ahead)
	future := r.give()
	r.guess("000000", 7, 7)
	r.meter.add([]class{classOf(6, false)}, 1000, false)
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
	if got := r.meter.running().amount; r.meter.hour != r.now.Unix()/3600 || got < 1000 {
		t.Errorf("the meter's running hour: got %d with %d, want that of the clock, with 1000", r.meter.hour, got)
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
