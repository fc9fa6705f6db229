package linkdirectory

import (
	"testing"
	"time"
)

func TestATentativeCodeIsNotResolvable(t *testing.T) {
	r := newRealm(t)
	g := r.decideOne()
	if reply, _ := r.guess(g.code, 1, 1); reply.Failure != Failure_UNKNOWN_CODE {
		t.Errorf("before its commit: got %v", reply.Failure)
	}
	r.commit()
	if reply, _ := r.guess(g.code, 1, 1); reply.Failure != Failure_OK || string(reply.Subject) != "viewer" {
		t.Errorf("after its commit: got %v", reply)
	}
}

func TestARefusedReservationIsGivenUp(t *testing.T) {
	r := newRealm(t)
	g := r.decideOne()
	r.guess("000000", 1, 1)
	r.refused(r.batch())
	if r.live != 0 || len(r.codes) != 0 || r.taken.size != 0 {
		t.Errorf("left: %d live, %d codes, %d patterns", r.live, len(r.codes), r.taken.size)
	}
	r.commit()
	r.restart()
	if reply, _ := r.guess(g.code, 2, 2); reply.Failure != Failure_UNKNOWN_CODE {
		t.Errorf("its code: got %v", reply.Failure)
	}
	if x := r.devices.current(1, r.now); x == nil || x.failures != 1 {
		t.Errorf("the guess counted beside it was lost: %+v", x)
	}
	r.after(2 * ttl) // its appointment finds nothing
	if len(r.due) != 0 {
		t.Errorf("%d appointments are left", len(r.due))
	}
}

func TestCodesAreTwoPositionsApart(t *testing.T) {
	r := newRealm(t)
	r.wanted.Length, r.wanted.MaxLive = 4, 400
	var codes []string
	for range 300 {
		codes = append(codes, r.give().code)
	}
	for i, a := range codes {
		for _, b := range codes[:i] {
			if len(a) == len(b) && distance(a, b) < 2 {
				t.Fatalf("%s and %s are live side by side", a, b)
			}
		}
	}
}

func distance(a, b string) (n int) {
	for i := range len(a) {
		if a[i] != b[i] {
			n++
		}
	}
	return n
}

func TestDensityMakesCodesLonger(t *testing.T) {
	r := newRealm(t)
	r.wanted.Length, r.wanted.MaxLive = 4, 1<<20
	lengths := map[int]int{}
	for range 2500 {
		lengths[len(r.decideOne().code)]++
	}
	// 0.2 % of 10^4 and of 10^6.
	if lengths[4] != 20 || lengths[6] != 2000 || lengths[8] != 480 {
		t.Errorf("codes by length: got %v, want 20 of 4, 2000 of 6, 480 of 8", lengths)
	}
}

func TestUsedAndExpiredCodesDoNotCountForDensity(t *testing.T) {
	r := newRealm(t)
	r.wanted.Length = 4
	for range 20 {
		giveUp(r, r.give())
	}
	if g := r.give(); len(g.code) != 4 {
		t.Errorf("after 20 codes were given up: got a code of %d characters, want 4", len(g.code))
	}
	for range 19 {
		r.give()
	}
	if g := r.give(); len(g.code) != 6 {
		t.Errorf("with 20 live codes: got a code of %d characters, want 6", len(g.code))
	}
	r.after(ttl + time.Minute)
	if g := r.give(); len(g.code) != 4 {
		t.Errorf("after they expired: got a code of %d characters, want 4", len(g.code))
	}
}

func TestKeptNumbersAreNotGivenAgain(t *testing.T) {
	r := newRealm(t)
	r.wanted.Length, r.wanted.MaxLive = 4, 1000
	kept := map[string]bool{}
	for range 1500 { // every seventh candidate of four digits is kept in the end
		g := r.give()
		if kept[g.code] {
			t.Fatal("a number was given again within a lifetime")
		}
		kept[g.code] = true
		giveUp(r, g)
	}
}

func TestMaxLive(t *testing.T) {
	r := newRealm(t)
	r.wanted.MaxLive = 3
	g := r.give()
	r.give()
	r.give()
	if extra := r.decideOne(); extra.code != "" {
		t.Error("a fourth code was given")
	}
	giveUp(r, g)
	r.give()
}

func TestKeptCodesAreBounded(t *testing.T) {
	r := newRealm(t)
	r.wanted.MaxLive = 2
	given := 0
	for range 100 {
		g := r.decideOne()
		if g.code == "" {
			break
		}
		given++
		r.commit()
		giveUp(r, g)
	}
	if given != keepFactor*2 {
		t.Errorf("codes given within one lifetime: got %d, want %d", given, keepFactor*2)
	}
	r.after(ttl + grace)
	r.give()
}

func TestNoFreeCodeOfAnyLength(t *testing.T) {
	r := newRealm(t)
	r.byLength[10] = 20_000_000 // 0.2 % of 10^10
	r.wanted.Length = 10
	if g := r.decideOne(); g.code != "" {
		t.Error("a code was given beyond the density of the longest")
	}
}

func TestOddLengthsGrowToTen(t *testing.T) {
	r := newRealm(t)
	r.wanted.Length, r.byLength[9] = 9, 2_000_000
	if g := r.decideOne(); len(g.code) != 10 {
		t.Errorf("got a code of %d characters, want 10", len(g.code))
	}
}

func TestAlphanumericCodes(t *testing.T) {
	r := newRealm(t)
	r.wanted.Alphanumeric = true
	g := r.give()
	if reply, _ := r.guess(g.code, 1, 1); reply.Failure != Failure_OK {
		t.Errorf("resolve %v", reply.Failure)
	}
}
