package linkdirectory

import (
	"fmt"
	"math/rand/v2"
	"time"
)

// town is a realm with people in it, who all have a device, an address and a
// network of their own. It knows the codes in clear, and keeps an account of its
// own of what could be hit.
type town struct {
	*realmDirectory
	random *rand.Rand
	codes  map[string]*home
	live   []*home // in the order of their places
	queue  []*home // in the order of their end
	count  [classes]int
	mine   [classes]int // those that a guesser asked for
	people uint64
	lost   []miss
}

// home is where a code is live.
type home struct {
	given
	network uint64
	until   time.Time
	place   int  // in town.live; -1: not any more
	guesser bool // is who asked for it
}

// miss is a look-up among all codes that found nothing.
type miss struct {
	at     time.Time
	chance hits
}

func newTown(t reporter, seed uint64, accepted float64, life time.Duration) *town {
	w := &town{
		realmDirectory: newRealm(t), random: rand.New(rand.NewPCG(seed, 0)),
		codes: make(map[string]*home), people: 1 << 32,
	}
	w.meter.random = w.random.Float64
	w.wanted.MaxLive, w.wanted.TtlMs = 1<<20, life.Milliseconds()
	w.wanted.WrongHits = encodeHits(accepted)
	w.budgets.WrongHits = w.wanted.WrongHits
	return w
}

// somebody is one who was not there before.
func (w *town) somebody() uint64 {
	w.people++
	return w.people
}

// populate moves out those whose code has expired, and others in until n codes are
// live.
func (w *town) populate(n int) {
	for len(w.queue) > 0 && !w.queue[0].until.After(w.now) {
		w.leave(w.queue[0])
		w.queue = w.queue[1:]
	}
	for len(w.live) < n {
		w.take(w.somebody(), false)
	}
	if len(w.reserved) > 0 {
		w.applied(w.batch(), w.now)
	}
}

// settles lets a network have a code.
func (w *town) settles(network uint64, guesser bool) *home {
	h := w.take(network, guesser)
	w.applied(w.batch(), w.now)
	return h
}

func (w *town) take(network uint64, guesser bool) *home {
	w.wanted.Network = network
	g := w.decideOne()
	if g.code == "" {
		w.Fatal("no free code")
	}
	end := w.now.Add(time.Duration(w.wanted.TtlMs) * time.Millisecond)
	h := &home{g, network, end, len(w.live), guesser}
	w.codes[g.code], w.live, w.queue = h, append(w.live, h), append(w.queue, h)
	w.count[textClass(g.code)]++
	if guesser {
		w.mine[textClass(g.code)]++
	}
	return h
}

func textClass(text string) class { return classOf(len(text), !Digits.spells(text)) }

// leave ends a code.
func (w *town) leave(h *home) {
	if h.place < 0 {
		return
	}
	last := w.live[len(w.live)-1]
	w.live[h.place], last.place = last, h.place
	w.live, h.place = w.live[:len(w.live)-1], -1
	w.count[textClass(h.code)]--
	if h.guesser {
		w.mine[textClass(h.code)]--
	}
	delete(w.codes, h.code)
}

// pass lets time pass.
func (w *town) pass(d time.Duration) {
	w.now = w.now.Add(d)
	w.devices.advance(w.now, 1<<10)
	w.addresses.advance(w.now, 1<<10)
	w.advance(w.now, 1<<10)
	clear(w.gone)
}

// chance is that of a text to be one of live codes of its class that are all over
// the space, and 0 for one that is one position from a live code.
func (w *town) chance(text string, live int) float64 {
	if w.codes[text] == nil && w.besideOne(text) {
		return 0
	}
	c := textClass(text)
	near := float64(c.length() * (len(c.alphabet()) - 1) * w.count[c])
	return float64(live) / (spaces[c] - near)
}

// besideOne reports whether a live code differs in one position.
func (w *town) besideOne(text string) bool {
	alphabet := textClass(text).alphabet()
	other := []byte(text)
	for i, letter := range []byte(text) {
		for _, other[i] = range []byte(alphabet) {
			if other[i] != letter && w.codes[string(other)] != nil {
				return true
			}
		}
		other[i] = letter
	}
	return false
}

// person types codes.
type person struct {
	device, network uint64
	address         []uint64
}

// stranger is in a network without a code.
func (w *town) stranger() person {
	who := w.somebody()
	return person{who, who, []uint64{who}}
}

// types looks a text up, and redeems the code that is found. A miss is noted.
func (w *town) types(who person, text string) *ResolveReply {
	q := w.query(text, who.device, 0)
	q.AddressKeys, q.Network = who.address, who.network
	chance := w.chance(text, w.count[textClass(text)])
	reply, request := w.ask(q)
	switch reply.Failure {
	case Failure_UNKNOWN_CODE:
		w.lost = append(w.lost, miss{w.now, hits(chance * float64(oneHit))})
	case Failure_OK:
		h := w.codes[text]
		if h == nil { // used a moment ago
			w.end(hashOf(testKey, text), Verdict_FAILED, request)
			break
		}
		w.end(h.hash, Verdict_REDEEMED, request)
		w.leave(h)
	}
	return reply
}

// worstDay is the most that the misses of any 24 hours could have hit.
func (w *town) worstDay() (worst hits) {
	sum, first := hits(0), 0
	for _, m := range w.lost {
		for sum += m.chance; !w.lost[first].at.After(m.at.Add(-24 * time.Hour)); first++ {
			sum -= w.lost[first].chance
		}
		worst = max(worst, sum)
	}
	return worst
}

// mistype is what a viewer makes of a code: mostly one wrong character, else two
// that changed places, or another number altogether.
func (w *town) mistype(code string) string {
	typed := []byte(code)
	i := w.random.IntN(len(typed) - 1)
	switch n := w.random.IntN(10); {
	case n < 8:
		typed[i] = '0' + (typed[i]+1)%10
	case n < 9:
		typed[i], typed[i+1] = typed[i+1], typed[i]
	default:
		return fmt.Sprintf("%0*d", len(code), w.random.Int64N(int64(spaces[classOf(len(code), false)])))
	}
	return string(typed)
}
