//go:build !race

package linkdirectory

import (
	"fmt"
	"math"
	"os"
	"strings"
	"testing"
	"text/tabwriter"
	"time"
)

// attack is two days of one guesser's life.
type attack struct {
	*town
	sort    strategy
	length  int // that is not closed, as far as the guesser knows
	tried   int64
	lookups int
	day     struct{ sum, variance float64 } // what should be hit
	hits    int                             // codes of strangers
	home    struct {
		expected      float64
		hits, lookups int
	}
	refused int // honest people in their own network
}

// strategy is how one guesses.
type strategy struct {
	name    string
	at      func(a *attack, i int) person
	prepare func(*attack)          // nil: nothing
	beside  func(a *attack, i int) // what else happens; nil: nothing
}

const ownNetwork = 7

var strategies = []strategy{
	{
		// From a household with as many codes as one may have.
		name:    "one address",
		at:      func(a *attack, _ int) person { return person{a.somebody(), ownNetwork, []uint64{ownNetwork}} },
		prepare: func(a *attack) { a.inviteOwn(householdCodes) },
		beside:  func(a *attack, _ int) { a.inviteOwn(householdCodes) },
	},
	{
		name: "100,000 addresses",
		at: func(a *attack, i int) person {
			return person{a.somebody(), uint64(i%100_000) + 1000, []uint64{uint64(i%100_000) + 1000}}
		},
	},
	{
		// Successes bought nothing, and own codes are known not to be others'.
		name: "own codes",
		at:   func(a *attack, i int) person { return a.stranger() },
		beside: func(a *attack, i int) {
			if h := a.settles(uint64(i%50)+1000, true); i%2 == 0 {
				a.types(a.stranger(), h.code)
			}
		},
	},
	{
		name: "IPv6 /48",
		at: func(a *attack, i int) person {
			who := a.somebody()
			return person{who, 1000 + who%256, []uint64{who, 1000 + who%256, 48}}
		},
	},
	{
		// Three of a hundred mistype their code first.
		name: "among honest people",
		at:   func(a *attack, i int) person { return a.stranger() },
		beside: func(a *attack, i int) {
			for range 3 {
				a.honest()
			}
		},
	},
}

// inviteOwn lets the guesser's network have n codes.
func (a *attack) inviteOwn(n int) {
	for have := a.networks[ownNetwork]; have == nil || have.live < n; have = a.networks[ownNetwork] {
		a.settles(ownNetwork, false)
	}
}

// honest redeems somebody's code in its own network.
func (a *attack) honest() {
	h := a.live[a.random.IntN(len(a.live))]
	if h.guesser || h.network == ownNetwork {
		return
	}
	who := person{a.somebody(), h.network, []uint64{h.network}}
	if a.random.IntN(100) < 3 {
		a.types(who, a.mistype(h.code))
		if h.place < 0 { // it was somebody else's code
			return
		}
	}
	if reply := a.types(who, h.code); reply.Failure != Failure_OK || reply.OtherNetwork {
		a.refused++
	}
}

// text is the next that the guesser tries: none twice.
func (a *attack) text() string {
	for {
		a.tried++
		space := int64(spaces[classOf(a.length, false)])
		text := fmt.Sprintf("%0*d", a.length, a.tried*613_651%space)
		if h := a.codes[text]; h == nil || !h.guesser {
			return text
		}
	}
}

func (a *attack) guess(i int) {
	who, text := a.sort.at(a, i), a.text()
	c, h := textClass(text), a.codes[text]
	household := 0
	if n := a.networks[who.network]; n != nil && n.live <= householdCodes {
		household = int(n.byClass[c])
	}
	strangers := a.chance(text, a.count[c]-a.mine[c]-household)
	reply := a.types(who, text)
	if reply.Failure == Failure_GUESSING {
		return
	}
	a.home.lookups++
	a.home.expected += float64(household) / spaces[c]
	switch {
	case reply.Failure == Failure_CLOSED:
		if a.length < MaxLength {
			a.length += longer
		}
		return
	case reply.Failure == Failure_OK && !reply.OtherNetwork:
		a.home.hits++
		return
	case reply.Failure == Failure_OK && h != nil && !h.guesser:
		a.hits++
	}
	a.lookups++
	a.day.sum += strangers
	a.day.variance += strangers * (1 - strangers)
}

const attackTime = 50 * time.Hour

func runAttack(t *testing.T, sort strategy, accepted float64, guesses, live int) *attack {
	a := &attack{town: newTown(t, 1, accepted, 12*time.Hour), sort: sort, length: 6}
	if sort.prepare != nil {
		sort.prepare(a)
	}
	a.populate(live)
	for i := range guesses {
		before := a.meter.hour
		a.pass(attackTime / time.Duration(guesses))
		a.populate(live)
		if a.guess(i); a.meter.hour != before {
			a.length = 6
		}
		if sort.beside != nil {
			sort.beside(a, i)
		}
		if i%10 == 0 {
			a.honest()
		}
	}
	return a
}

// TestWrongHitsOfGuessers lets guessers of all sorts have two days each. In any 24
// hours the chances of what they and those who mistyped looked up for nothing sum
// up to what the realm accepts at most; and what is really hit agrees with the
// chances of all look-ups.
func TestWrongHitsOfGuessers(t *testing.T) {
	guesses, live := 10_000, 2_000
	if os.Getenv("SSOD_LONG") != "" {
		guesses = 300_000
	}
	var table strings.Builder
	w := tabwriter.NewWriter(&table, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "guesser\taccepted a day\tlook-ups\tworst day\tsum of chances\thits\tsigma\tat home\tbound\thits\t")
	for _, accepted := range []float64{0.5, 100} {
		for _, sort := range strategies {
			a := runAttack(t, sort, accepted, guesses, live)
			worst := a.worstDay()
			if limit := hits(accepted * float64(oneHit)); worst > limit {
				t.Errorf("%s: the look-ups of a day could have hit %v, want at most %v", sort.name, worst.float(), accepted)
			}
			sigma := math.Sqrt(a.day.variance)
			if off := math.Abs(float64(a.hits) - a.day.sum); off > 3*sigma {
				t.Errorf("%s: %d hits, want %.1f within three times %.1f", sort.name, a.hits, a.day.sum, sigma)
			}
			// A window of 15 minutes may begin before the two days and one end after them.
			bound := float64(attackTime/guessWindow+1) * float64(a.budgets.PerAddress) * householdCodes / 1e6
			if a.home.expected > bound {
				t.Errorf("%s: at home %v could have been hit, want at most %v", sort.name, a.home.expected, bound)
			}
			if a.refused > 0 {
				t.Errorf("%s: %d honest people were refused in their own network", sort.name, a.refused)
			}
			fmt.Fprintf(w, "%s\t%v\t%d\t%.3f\t%.3f\t%d\t%.1f\t%.3f\t%.3f\t%d\t\n",
				sort.name, accepted, a.lookups, worst.float(), a.day.sum, a.hits, sigma, a.home.expected, bound, a.home.hits)
		}
	}
	w.Flush()
	t.Log("\n" + table.String())
}

// TestHonestPeopleAreNotRefused redeems codes with three mistakes in a hundred, in
// the network of the code and in others, without an attack: nobody is refused,
// because codes get longer when mistakes add up. A day at full rate would take
// minutes, so the first minutes are played in full, and a day on a scale: codes are
// as dense when both the redemptions and what is accepted are a part of it.
func TestHonestPeopleAreNotRefused(t *testing.T) {
	type day struct {
		name     string
		live     int
		rate     float64 // redemptions a second
		accepted float64
		life     time.Duration // of codes
		length   time.Duration
	}
	days := []day{
		{"first minutes, 2,000 live", 2_000, 50, 0.5, 15 * time.Minute, 4 * time.Minute},
		{"first minutes, 20,000 live", 20_000, 50, 0.5, 15 * time.Minute, 20 * time.Second},
		{"a day, 1:250", 1_000, 0.2, 0.002, time.Hour, 26 * time.Hour},
	}
	if os.Getenv("SSOD_LONG") != "" {
		days = append(days,
			day{"first hour, 2,000 live", 2_000, 50, 0.5, 15 * time.Minute, time.Hour},
			day{"first hour, 200,000 live", 200_000, 50, 0.5, 15 * time.Minute, time.Hour},
			day{"two days, 1:50", 2_000, 1, 0.01, 15 * time.Minute, 50 * time.Hour})
	}
	var table strings.Builder
	w := tabwriter.NewWriter(&table, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "honest people\tredemptions\tmistakes\trefused at home\trefused elsewhere\tworst day\tof\tlive codes by length\t")
	for i, d := range days {
		v := &village{town: newTown(t, uint64(i), d.accepted, d.life)}
		end, pause := v.now.Add(d.length), time.Duration(float64(time.Second)/d.rate)
		for v.now.Before(end) {
			v.pass(pause)
			v.populate(d.live)
			v.redeems()
		}
		if v.refusedHome > 0 || v.refusedElsewhere > 0 {
			t.Errorf("%s: %d people were refused in their own network, %d in others", d.name, v.refusedHome, v.refusedElsewhere)
		}
		fmt.Fprintf(w, "%s\t%d\t%d\t%d\t%d\t%.4f\t%v\t%v\t\n", d.name, v.redemptions, v.mistakes,
			v.refusedHome, v.refusedElsewhere, v.worstDay().float(), d.accepted, v.lengths())
	}
	w.Flush()
	t.Log("\n" + table.String())
}

// village is a town without a guesser.
type village struct {
	*town
	redemptions, mistakes         int
	refusedHome, refusedElsewhere int
}

// redeems lets somebody type a code: seven of ten in its own network, and until it
// is right.
func (v *village) redeems() {
	h := v.live[v.random.IntN(len(v.live))]
	who := v.stranger()
	home := v.random.IntN(10) < 7
	if home {
		who.network, who.address = h.network, []uint64{h.network}
	}
	v.redemptions++
	if v.random.IntN(100) < 3 {
		v.mistakes++
		v.types(who, v.mistype(h.code))
		if h.place < 0 { // those places were the same, and so was the code
			return
		}
	}
	switch reply := v.types(who, h.code); {
	case reply.Failure == Failure_OK && reply.OtherNetwork != home:
	case home:
		v.refusedHome++
	default:
		v.refusedElsewhere++
	}
}

// lengths counts the live codes.
func (v *village) lengths() string {
	var s []string
	for c, n := range v.count {
		if n > 0 {
			s = append(s, fmt.Sprintf("%d: %d", class(c).length(), n))
		}
	}
	return strings.Join(s, ", ")
}
