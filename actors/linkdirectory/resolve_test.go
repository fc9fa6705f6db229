package linkdirectory

import (
	"testing"
	"time"

	"ssod/cluster"
)

func TestBudgets(t *testing.T) {
	tests := []struct {
		name            string
		device, address func(i int) uint64
		lookups         int
	}{
		{"one device", same, same, 5},
		{"one device behind many addresses", same, other, 5},
		{"many devices behind one address", other, same, 60},
		{"many devices and addresses, and no code to hit", other, other, 200},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := newRealm(t)
			lookups := 0
			var refused *ResolveReply
			for i := range 200 {
				reply, _ := r.guess("000000", tt.device(i), tt.address(i))
				if reply.Failure == Failure_UNKNOWN_CODE {
					lookups++
					continue
				}
				refused = reply
			}
			if lookups != tt.lookups || r.watch.failures != tt.lookups {
				t.Errorf("look-ups: got %d, and %d reported, want %d", lookups, r.watch.failures, tt.lookups)
			}
			if refused == nil {
				return
			}
			want := guessWindow
			if got := time.Duration(refused.RetryAfterMs) * time.Millisecond; got != want {
				t.Errorf("retry after: got %v, want %v", got, want)
			}
			r.after(want)
			if reply, _ := r.guess("000000", 0, 0); reply.Failure != Failure_UNKNOWN_CODE {
				t.Errorf("after waiting as told: %v", reply.Failure)
			}
		})
	}
}

func same(int) uint64    { return 7 }
func other(i int) uint64 { return uint64(i) + 1000 }

func TestRetryAfterIsTheTimeLeft(t *testing.T) {
	r := newRealm(t)
	for range 5 {
		r.guess("000000", 1, 1)
		r.after(time.Minute)
	}
	reply, _ := r.guess("000000", 1, 1)
	if want := 10 * time.Minute; reply.Failure != Failure_GUESSING || reply.RetryAfterMs != want.Milliseconds() {
		t.Errorf("got %v, want GUESSING and %v", reply, want)
	}
}

func TestMalformedCodesAreFailedGuesses(t *testing.T) {
	r := newRealm(t)
	for range 5 {
		if reply, _ := r.guess("", 1, 1); reply.Failure != Failure_UNKNOWN_CODE {
			t.Fatal(reply.Failure)
		}
	}
	if reply, _ := r.guess("", 1, 1); reply.Failure != Failure_GUESSING {
		t.Errorf("sixth: got %v, want GUESSING", reply.Failure)
	}
}

func TestSettlement(t *testing.T) {
	tests := []struct {
		name     string
		verdict  Verdict
		failures int // of the device afterwards
		reported int
		works    bool // the code can still be found two minutes later
	}{
		{"redeemed", Verdict_REDEEMED, 0, 0, false},
		{"race lost", Verdict_REFUNDED, 0, 0, true},
		{"unusable", Verdict_FAILED, 1, 1, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := newRealm(t)
			g := r.giveTo(1)
			reply, request := r.guess(g.code, 1, 1)
			if reply.Failure != Failure_OK {
				t.Fatal(reply.Failure)
			}
			for range 3 { // repeats change nothing
				r.end(g.hash, tt.verdict, request)
			}
			for _, w := range []*windows{r.devices, r.addresses} {
				if got := failures(w, r.now); got != tt.failures {
					t.Errorf("failures: got %d, want %d", got, tt.failures)
				}
			}
			if r.watch.failures != tt.reported || r.watch.own != tt.reported {
				t.Errorf("reported: got %d, %d of them in its own network, want %d", r.watch.failures, r.watch.own, tt.reported)
			}
			again, _ := r.after(2*time.Minute).guess(g.code, 1, 1)
			if got := again.Failure == Failure_OK; got != tt.works {
				t.Errorf("found afterwards: got %v, want %v", got, tt.works)
			}
		})
	}
}

func failures(w *windows, now time.Time) int {
	if x := w.current(1, now); x != nil {
		return x.failures
	}
	return 0
}

func TestACodeIsUsedUpOnce(t *testing.T) {
	r := newRealm(t)
	g := r.give()
	for range 3 { // the same device repeats, over restarts
		_, request := r.guess(g.code, 1, 1)
		r.end(g.hash, Verdict_REDEEMED, request)
		r.commit()
		r.restart()
		r.after(10 * time.Second)
	}
	if reply, _ := r.after(30*time.Second).guess(g.code, 1, 1); reply.Failure != Failure_UNKNOWN_CODE {
		t.Errorf("a minute after its first use: got %v", reply.Failure)
	}
}

func TestASuccessRefundsOnlyItself(t *testing.T) {
	r := newRealm(t)
	lookups := 0
	for range 20 { // four failures, then a success, again and again
		for range 4 {
			if reply, _ := r.guess("000000", 1, 1); reply.Failure == Failure_UNKNOWN_CODE {
				lookups++
			}
		}
		g := r.give()
		if reply, request := r.guess(g.code, 1, 1); reply.Failure == Failure_OK {
			r.end(g.hash, Verdict_REDEEMED, request)
		}
	}
	if lookups != 5 {
		t.Errorf("failed look-ups: got %d, want 5", lookups)
	}
}

func TestARepeatedRequestIsChargedOnce(t *testing.T) {
	r := newRealm(t)
	request := r.request()
	for range 10 {
		if reply, _ := r.resolve(r.query("000000", 1, 1), request, true, r.now); reply.Failure != Failure_UNKNOWN_CODE {
			t.Fatal(reply.Failure)
		}
	}
	if got := failures(r.devices, r.now); got != 1 {
		t.Errorf("failures: got %d, want 1", got)
	}
}

func TestAMissNeedsABarrierAndAHitDoesNot(t *testing.T) {
	r := newRealm(t)
	g := r.give()
	if _, needs := r.resolve(r.query(g.code, 1, 1), r.request(), false, r.now); needs != nothing {
		t.Error("a hit asked for a barrier")
	}
	request := r.request()
	if _, needs := r.resolve(r.query("000000", 2, 2), request, false, r.now); needs != barrier {
		t.Error("a miss did not ask for a barrier")
	}
	if x := r.devices.current(2, r.now); x != nil {
		t.Error("a miss was charged before its barrier")
	}
}

func TestCountsSurviveARestart(t *testing.T) {
	r := newRealm(t)
	for range 3 {
		r.guess("000000", 1, 1)
	}
	r.commit()
	r.guess("000000", 1, 1) // not written: a crash forgives it
	r.restart()
	if got := failures(r.devices, r.now); got != 3 {
		t.Errorf("failures: got %d, want the 3 written", got)
	}
}

// TestARefundThatIsLostWasNotOwed: while a guess that found its code is not settled,
// its charge counts, and is not written. Once it has failed it is, also if nobody ever
// says so.
func TestARefundThatIsLostWasNotOwed(t *testing.T) {
	r := newRealm(t)
	g := r.give()
	r.guess("000000", 1, 1)
	want := func(when string, n int) {
		t.Helper()
		if got := failures(r.devices, r.now); got != n {
			t.Errorf("%s: got %d failures, want %d", when, got, n)
		}
	}
	r.guess(g.code, 1, 1)
	want("open", 2)
	r.commit()
	r.restart()
	want("open, and the refund lost", 1)

	_, request := r.guess(g.code, 1, 1)
	r.end(g.hash, Verdict_FAILED, request)
	r.commit()
	r.restart()
	want("failed", 2)

	r.guess(g.code, 1, 1)
	r.after(memoryLife + time.Second)
	r.guess("000000", 2, 2) // others are forgotten by the way
	r.commit()
	r.restart()
	want("never settled", 3)

	_, request = r.guess(g.code, 1, 1)
	r.commit()
	r.end(g.hash, Verdict_REFUNDED, request)
	want("refunded", 3)
	r.commit()
	r.restart()
	want("refunded and written", 3)
}

func TestGuessersAreBounded(t *testing.T) {
	w := newWindows(100)
	for i := range 1000 {
		w.charge(uint64(i), false, start)
		w.charge(0, false, start) // keeps itself recent
	}
	if len(w.byKey) != 100 || w.order.Len() != 100 {
		t.Errorf("remembered: got %d, want 100", len(w.byKey))
	}
	if x := w.current(0, start); x == nil || x.failures != 1001 {
		t.Errorf("the busiest guesser: got %+v", x)
	}
	if w.current(500, start) != nil {
		t.Error("the least recent guesser was kept")
	}
}

func TestGuessesAreBounded(t *testing.T) {
	r := newRealm(t)
	r.guesses = newMemory[cluster.RequestID, *guess](10)
	for i := range 100 {
		r.guess("00000000000", other(i), other(i))
	}
	if n := len(r.guesses.byKey); n != 10 {
		t.Errorf("remembered: got %d, want 10", n)
	}
	r.after(memoryLife + time.Second)
	r.guess("00000000000", 1, 1)
	if n := len(r.guesses.byKey); n != 1 || len(r.guesses.queue) > 10 {
		t.Errorf("after a while: got %d in a queue of %d, want 1", n, len(r.guesses.queue))
	}
}
