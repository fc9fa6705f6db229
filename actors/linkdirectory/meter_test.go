package linkdirectory

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// miss looks up codes that nobody has, each from somewhere else, until one is not
// looked up or n were.
func (r *realmDirectory) miss(n int, length int) (missed int, last *ResolveReply) {
	r.Helper()
	for missed < n {
		r.serial++
		text := fmt.Sprintf("%0*d", length, r.serial*7919%uint64(spaces[classOf(length, false)]))
		if last, _ = r.guess(text, r.serial, r.serial); last.Failure == Failure_CLOSED {
			return missed, last
		}
		if last.Failure == Failure_UNKNOWN_CODE {
			missed++
		}
	}
	return missed, last
}

// What a look-up adds is never less than its chance, counted out text by text, and
// nothing where a code cannot be.
func TestALookUpAddsItsChance(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newTown(t, rapid.Uint64().Draw(t, "seed"), 100_000, ttl)
		w.wanted.Length = 4
		for range rapid.IntRange(0, 20).Draw(t, "codes") {
			w.take(w.somebody(), false)
		}
		w.applied(w.batch(), w.now)
		for _, h := range w.live[:rapid.IntRange(0, len(w.live)).Draw(t, "used")] {
			giveUp(w.realmDirectory, h.given)
			w.leave(h)
		}
		ruledOut := map[string]bool{} // near ones
		for code := range w.codes {
			for i := range code {
				for digit := '0'; digit <= '9'; digit++ {
					ruledOut[code[:i]+string(digit)+code[i+1:]] = true
				}
			}
		}
		for code := range w.codes {
			delete(ruledOut, code)
		}
		live := len(w.live)
		for range 20 {
			text := fmt.Sprintf("%04d", rapid.IntRange(0, 9999).Draw(t, "text"))
			if w.codes[text] != nil {
				continue
			}
			before := w.meter.total()
			w.types(w.stranger(), text)
			added := (w.meter.total() - before).float()
			chance := float64(live) / float64(10_000-len(ruledOut))
			switch {
			case ruledOut[text] && added != 0:
				t.Fatalf("a look-up near a code added %v", added)
			case !ruledOut[text] && added < chance:
				t.Fatalf("a look-up of chance %v added %v", chance, added)
			case !ruledOut[text] && added > 1.2*chance+1e-12:
				t.Fatalf("a look-up of chance %v added %v", chance, added)
			}
		}
	})
}

// A guesser who tries no text twice knows more with every miss: half of all texts
// are worth ln 2, as the last of them has twice the chance of the first. That is
// known after a failover too, and forgotten when no code of then can live.
func TestWhatWasTriedCounts(t *testing.T) {
	w := newTown(t, 1, 1.5, time.Hour)
	w.wanted.Length = 4
	h, c := w.take(w.somebody(), false), classOf(4, false)
	w.commit()
	for i := range 5000 {
		if text := fmt.Sprintf("%04d", i); text != h.code {
			w.types(w.stranger(), text)
		}
		if i == 2500 {
			w.commit()
			w.restart()
		}
	}
	if added := w.meter.total().float(); added < math.Ln2-0.01 || added > math.Ln2+0.1 { // near ones, and what a failover adds
		t.Errorf("half of all texts added %v, want %v", added, math.Ln2)
	}
	if got, want := w.chance(h.code, 1), w.directory.chance(c, 1).float(); want < 1.9*got {
		t.Errorf("the chance of the next: got %v, want twice %v", want, got)
	}
	w.now = w.now.Add(triedSlots * hour)
	w.meter.roll(w.now)
	if got, want := w.directory.chance(c, 1).float(), w.chance(h.code, 1); got > 1.01*want {
		t.Errorf("the chance three hours later: got %v, want %v", got, want)
	}
}

func TestLengthsCloseByTheirShares(t *testing.T) {
	r := newRealm(t)
	for _, c := range []class{classOf(6, false), classOf(8, false), classOf(10, false)} {
		r.byClass[c] = int(spaces[c] / 2000)
	}
	for _, tt := range []struct {
		length int
		share  float64
	}{{6, 0.7}, {8, 0.85}, {10, 1}} {
		_, refused := r.miss(5000, tt.length)
		if refused.Failure != Failure_CLOSED {
			t.Fatalf("%d digits stay open", tt.length)
		}
		used := r.meter.total().float() / 0.5
		if used > tt.share || used < tt.share-1.0/steps-0.01 {
			t.Errorf("%d digits close at %v of what is accepted, want %v", tt.length, used, tt.share)
		}
	}
	full := r.meter.total()
	long := r.query("AAAAAAAAAA", 1, 1)
	r.byClass[classOf(10, true)] = 1000
	if reply, _ := r.ask(long); reply.Failure != Failure_UNKNOWN_CODE {
		t.Errorf("ten alphanumeric characters: got %v, want to be looked up", reply.Failure)
	}
	if r.meter.total() == full {
		t.Error("a look-up whose length never closes added nothing")
	}
}

// Guessers who use up all that is accepted in a day cannot keep the realm from giving
// out codes: the longest ones are looked up whatever happens.
func TestThereAreCodesWhenEverythingElseIsClosed(t *testing.T) {
	r := newRealm(t)
	r.byClass[classOf(10, false)] = int(spaces[classOf(10, false)] / 2000)
	if _, refused := r.miss(5000, 10); refused.Failure != Failure_CLOSED {
		t.Fatal("ten digits stay open")
	}
	if got := r.crowd(100); got["10 alphanumeric"] != 100 {
		t.Errorf("got %v, want 100 codes of ten alphanumeric characters", got)
	}
	if g := r.give(); len(g.code) != MaxLength {
		t.Errorf("a code of %d characters", len(g.code))
	} else if reply, _ := r.guess(g.code, 1<<40, 1<<40); reply.Failure != Failure_OK {
		t.Errorf("looked up from another network: %v", reply.Failure)
	}
}

func TestRetryAfterIsWhenEnoughHasLeft(t *testing.T) {
	r := newRealm(t)
	r.byClass[classOf(6, false)] = 500
	r.now = start.Add(10 * time.Minute)
	r.miss(300, 6) // 0.15 in the first hour
	r.now = start.Add(3 * time.Hour)
	missed, refused := r.miss(5000, 6)
	// The first hour leaves 25 hours after it began; that is enough for a step.
	if got, want := time.Duration(refused.RetryAfterMs)*time.Millisecond, 22*time.Hour; got != want {
		t.Errorf("retry after: got %v, want %v", got, want)
	}
	r.now = start.Add(25*time.Hour - time.Millisecond)
	if n, _ := r.miss(1, 6); n != 0 {
		t.Error("looked up before the first hour has left")
	}
	r.now = start.Add(25 * time.Hour)
	again, _ := r.miss(5000, 6)
	if again < 250 || again > 320 {
		t.Errorf("look-ups when the first hour has left: got %d, want nearly the 300 of that hour", again)
	}
	r.now = start.Add(60 * time.Hour)
	if n, _ := r.miss(5000, 6); n < missed+250 {
		t.Errorf("look-ups after two days: got %d, want %d again", n, missed+300)
	}
}

// Whatever is done between restarts, the meter of the next owner has what the last
// one's had, and at most a step more.
func TestAFailoverForgivesNothing(t *testing.T) {
	r := newRealm(t)
	random := rand.New(rand.NewPCG(1, 2))
	for range 40 {
		if random.IntN(3) == 0 {
			r.crowd(1 + random.IntN(20))
			r.commit()
		}
		r.miss(1+random.IntN(30), 6)
		r.now = r.now.Add(time.Duration(random.IntN(40)) * time.Minute)
		r.advance(r.now, 1<<10)
		r.meter.roll(r.now)
		before := r.meter.total()
		r.restart()
		r.meter.roll(r.now)
		if after := r.meter.total(); after < before || after > before+oneHit/2/steps+1 {
			t.Fatalf("over a restart: %v became %v", before.float(), after.float())
		}
	}
}

// A grant that is not used up is given back before the directory leaves memory.
func TestRoomIsGivenBack(t *testing.T) {
	r := newRealm(t)
	r.byClass[classOf(6, false)] = 500
	r.miss(1, 6)
	r.byClass[classOf(6, false)] = 0
	used := r.meter.total()
	r.after(16 * time.Minute)
	for _, w := range []*windows{r.devices, r.addresses} {
		w.advance(r.now, 1<<10)
	}
	r.commit()
	r.meter.giveBack()
	if !r.pending() {
		t.Fatal("nothing is to be written")
	}
	r.commit()
	r.restart()
	if got := r.meter.total(); got != used {
		t.Errorf("loaded again: %v became %v", used.float(), got.float())
	}
}

// While a length is closed its codes are found in their own network; a miss there
// is charged. A network without a household is not looked up in and not charged.
func TestHouseholdsWhileALengthIsClosed(t *testing.T) {
	r := newRealm(t)
	r.crowd(200)
	g := r.giveTo(7)
	for range householdCodes + 1 {
		r.giveTo(8)
	}
	own := r.giveTo(8)
	waits := r.giveTo(10)
	_, request := r.guess(waits.code, 1<<40+5, 1<<40+5)
	r.end(waits.hash, Verdict_REFUNDED, request)
	if _, refused := r.miss(5000, 6); refused.Failure != Failure_CLOSED {
		t.Fatal("six digits stay open")
	}
	tests := []struct {
		name    string
		code    string
		network uint64
		want    Failure
		charged int
	}{
		{"found at home", g.code, 7, Failure_OK, 1},
		{"missed at home", "000000", 7, Failure_CLOSED, 1},
		{"found elsewhere", g.code, 9, Failure_CLOSED, 1},
		{"in a network with too many codes", own.code, 8, Failure_CLOSED, 0},
		{"malformed", "", 7, Failure_UNKNOWN_CODE, 1},
		{"found before by this device", waits.code, 9, Failure_OK, 1},
	}
	for i, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			who := uint64(i) + 1<<40
			before := r.meter.total()
			q := r.query(tt.code, who, tt.network)
			q.AddressKeys = []uint64{who}
			if tt.want == Failure_CLOSED && tt.charged > 0 {
				if _, needs := r.resolve(q, r.request(), false, r.now); needs != barrier {
					t.Error("a miss was told without a barrier")
				}
			}
			reply, _ := r.ask(q)
			got := 0
			if x := r.devices.current(who, r.now); x != nil {
				got = x.failures
			}
			if reply.Failure != tt.want || got != tt.charged {
				t.Errorf("got %v, %d charged, want %v, %d", reply.Failure, got, tt.want, tt.charged)
			}
			if r.meter.total() != before {
				t.Error("the meter went on")
			}
		})
	}
	if got := r.crowd(1); got["6"] != 0 {
		t.Errorf("a code given meanwhile: got %v, want a longer one", got)
	}
}

// Who found a code finds it again while its length is closed. Whoever only calls
// himself by that device's name has the budget of one device to guess it, from a
// network too that is not looked up in.
func TestTheNameOfAFinderIsNoWayToGuess(t *testing.T) {
	r := newRealm(t)
	r.crowd(200)
	for range householdCodes + 1 {
		r.giveTo(8)
	}
	waits := r.giveTo(10)
	const finder, other = 1 << 40, 1<<40 + 1
	_, request := r.guess(waits.code, finder, finder)
	r.end(waits.hash, Verdict_REFUNDED, request)
	if _, refused := r.miss(5000, 6); refused.Failure != Failure_CLOSED {
		t.Fatal("six digits stay open")
	}
	for device, want := range map[uint64]int{finder: int(r.budgets.PerDevice), other: 20} {
		told := 0
		for i := range 20 {
			q := r.query("000000", device, 8)
			q.AddressKeys = []uint64{1<<41 + uint64(i)}
			if reply, _ := r.ask(q); reply.Failure == Failure_CLOSED {
				told++
			}
		}
		if told != want {
			t.Errorf("device %d: %d misses were told, want %d", device-finder, told, want)
		}
	}
	r.after(3 * ttl)
	if n := len(r.finders); n != 0 {
		t.Errorf("%d finders are remembered of codes that are gone", n)
	}
}

// A denied code counts as found nothing, and one near a live code uses up room like
// any other: nothing tells it apart.
func TestWhatDoesNotShow(t *testing.T) {
	tests := []struct {
		name  string
		text  func(code string) string
		adds  bool
		fails int64
	}{
		{"wrong", func(string) string { return "000000" }, true, 1},
		{"denied", func(code string) string { return code }, true, 1},
		{"near", func(code string) string { return code[:5] + string('0'+(code[5]-'0'+1)%10) }, false, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := newRealm(t).withRoom()
			text := tt.text(r.giveTo(7).code)
			room, level, total := r.meter.room, r.meter.level, r.meter.total()
			q := r.query(text, 1, 8)
			q.DenyOther = true
			if reply, _ := r.ask(q); reply.Failure != Failure_UNKNOWN_CODE {
				t.Fatal(reply.Failure)
			}
			chance := r.chance(classOf(6, false), 1)
			if used := room - r.meter.room; used < chance-2 || used > chance || r.meter.level != level {
				t.Errorf("room used: got %d, want %d; the level decisions go by changed by %d", used, chance, r.meter.level-level)
			}
			if added := r.meter.total() > total; added != tt.adds || r.meter.running().failures != tt.fails {
				t.Errorf("added: got %v, and %d failures, want %v, %d", added, r.meter.running().failures, tt.adds, tt.fails)
			}
		})
	}
}

// Alerts come at the half and when a length closes, at most once an hour each.
func TestAlerts(t *testing.T) {
	r := newRealm(t)
	r.byClass[classOf(6, false)] = 500
	r.miss(5000, 6)
	for range 3 {
		r.report(r.now)
	}
	if r.watch.half != 1 || len(r.watch.closings) != 1 || !r.watch.shut[6] || r.watch.shut[8] {
		t.Errorf("alerts: got %d at the half, %v when closed, want one each; closed %v", r.watch.half, r.watch.closings, r.watch.shut)
	}
	r.now = r.now.Add(alertPause)
	r.miss(1, 6)
	r.report(r.now)
	if r.watch.half != 2 || len(r.watch.closings) != 1 {
		t.Errorf("an hour later: got %d at the half and %d when closed, want 2 and 1", r.watch.half, len(r.watch.closings))
	}
	r.now = r.now.Add(26 * time.Hour)
	r.report(r.now)
	if r.watch.expected != 0 || r.watch.shut[6] {
		t.Errorf("a day later: %v expected, closed %v", r.watch.expected.float(), r.watch.shut)
	}
}

// Texts that can be codes of both alphabets have the chances of both.
func TestATextOfTwoAlphabets(t *testing.T) {
	r := newRealm(t)
	digits, letters := classOf(6, false), classOf(6, true)
	r.byClass[digits], r.byClass[letters] = 500, 500
	for text, want := range map[string]hits{
		"234567": r.chance(digits, 500) + r.chance(letters, 500),
		"012345": r.chance(digits, 500),
		"ABCDEF": r.chance(letters, 500),
		"0BCDEF": 0, // no code has these characters
		"":       0,
	} {
		if got := r.chanceOf(r.query(text, 1, 1).appendClasses(nil)); got != want {
			t.Errorf("%q: got %v, want %v", text, got.float(), want.float())
		}
	}
}
