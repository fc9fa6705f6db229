package linkdirectory

import (
	"strconv"
	"testing"
	"time"
)

func TestATentativeCodeIsNotResolvable(t *testing.T) {
	r := newRealm(t).withRoom()
	g := r.decideOne()
	if reply, _ := r.guess(g.code, 1, 1); reply.Failure != Failure_UNKNOWN_CODE {
		t.Errorf("before its commit: got %v", reply.Failure)
	}
	r.commit()
	if reply, _ := r.guess(g.code, 1, 1); reply.Failure != Failure_OK || string(reply.Owner) != "viewer" {
		t.Errorf("after its commit: got %v", reply)
	}
}

func TestARefusedReservationIsGivenUp(t *testing.T) {
	r := newRealm(t).withRoom()
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

// crowd reserves n codes, each for another network.
func (r *realmDirectory) crowd(n int) (lengths map[string]int) {
	r.Helper()
	lengths = map[string]int{}
	for range n {
		r.wanted.Network++
		code := r.decideOne().code
		kind := strconv.Itoa(len(code))
		if !Digits.spells(code) {
			kind += " alphanumeric"
		}
		lengths[kind]++
	}
	return lengths
}

func TestDensityMakesCodesLonger(t *testing.T) {
	tests := []struct {
		name     string
		accepted hits // in a day
		failures int64
		length   int32
		codes    int
		want     map[string]int
	}{
		{"a quiet realm", oneHit / 2, 0, 6, 600, map[string]int{"6": 500, "8": 100}},
		{"a realm that accepts little", oneHit / 100, 0, 6, 600, map[string]int{"6": 10, "8": 590}},
		{"nearly no failures", oneHit / 2, 400, 6, 600, map[string]int{"6": 500, "8": 100}},
		{"four digits, at most one in 500", 100 * oneHit, 0, 4, 2500, map[string]int{"4": 20, "6": 2000, "8": 480}},
		{"many failures", oneHit / 2, 2_500_000, 6, 1030, map[string]int{"6": 0, "8": 10, "10": 1000, "10 alphanumeric": 20}},
		{"odd lengths grow to ten", oneHit / 2, 250_000, 7, 60, map[string]int{"7": 10, "9": 50}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := newRealm(t)
			r.wanted.Length, r.wanted.MaxLive, r.wanted.WrongHits = tt.length, 1<<20, int64(tt.accepted)
			r.meter.roll(r.now)
			r.meter.failures = float64(tt.failures)
			got := r.crowd(tt.codes)
			for kind, want := range tt.want {
				if got[kind] != want {
					t.Errorf("codes: got %v, want %v", got, tt.want)
					break
				}
			}
		})
	}
}

// A quarter of the short codes is what one network gets.
func TestANetworkDoesNotOccupyTheShortCodes(t *testing.T) {
	r := newRealm(t)
	r.wanted.Network = 7
	lengths := map[int]int{}
	for range 200 {
		lengths[len(r.decideOne().code)]++
	}
	if lengths[6] != 125 || lengths[8] != 75 {
		t.Errorf("codes by length: got %v, want 125 of 6 and 75 of 8", lengths)
	}
	r.wanted.Network = 8
	if g := r.decideOne(); len(g.code) != 6 {
		t.Errorf("another network: got a code of %d characters, want 6", len(g.code))
	}
}

func TestUsedAndExpiredCodesDoNotCountForDensity(t *testing.T) {
	r := newRealm(t)
	r.wanted.Length = 4
	for range 20 {
		giveUp(r, r.give())
	}
	if got := r.crowd(1); got["4"] != 1 {
		t.Errorf("after 20 codes were given up: got %v, want 4 digits", got)
	}
	r.crowd(4)
	if got := r.crowd(1); got["6"] != 1 {
		t.Errorf("with five live codes: got %v, want 6 digits", got)
	}
	r.after(ttl + time.Minute)
	if got := r.crowd(1); got["4"] != 1 {
		t.Errorf("after they expired: got %v, want 4 digits", got)
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
	r.wanted.Length = 10
	for _, c := range []class{classOf(10, false), classOf(10, true)} {
		r.byClass[c] = int(spaces[c] / sparse)
	}
	if g := r.decideOne(); g.code != "" {
		t.Error("a code was given beyond the density of the longest")
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
