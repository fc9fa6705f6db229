package linkdirectory

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"ssod/cluster"
)

// TestWhateverHappens plays random commands, clock steps, commits and restarts
// against a directory and what it must be.
func TestWhateverHappens(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := newRealm(t)
		m := &model{r: r, codes: map[string]*modelCode{}, charged: map[uint64][]charge{}, settled: map[cluster.RequestID]bool{}}
		r.wanted.Length, r.wanted.MaxLive = 4, 60
		r.budgets.PerDevice, r.budgets.PerAddress = 3, 8
		r.wanted.WrongHits, r.budgets.WrongHits = 3*int64(oneHit)/2, 3*int64(oneHit)/2
		t.Repeat(map[string]func(*rapid.T){
			"reserve": m.reserve,
			"commit":  m.commit,
			"guess":   m.guess,
			"settle":  m.settle,
			"retire":  m.retire,
			"wait":    m.wait,
			"restart": m.restart,
			"":        m.check,
		})
	})
}

type model struct {
	r       *realmDirectory
	codes   map[string]*modelCode // by code
	order   []string
	pending []string // reserved, not committed
	open    []openGuess
	settled map[cluster.RequestID]bool
	charged map[uint64][]charge // per device
}

type modelCode struct {
	given
	notAfter  time.Time
	committed bool
	used      time.Time
	gaveUp    time.Time
}

type charge struct {
	at   time.Time
	open cluster.RequestID // zero: final
	back bool              // was refunded, and began a window all the same
}

type openGuess struct {
	code    string
	request cluster.RequestID
	device  uint64
}

// resolvable is what the life of a code says.
func (c *modelCode) resolvable(now time.Time) bool {
	return c.committed && c.gaveUp.IsZero() && now.Before(c.notAfter.Add(time.Minute)) &&
		(c.used.IsZero() || now.Before(c.used.Add(time.Minute)))
}

func (c *modelCode) live(now time.Time) bool {
	return c.gaveUp.IsZero() && c.used.IsZero() && now.Before(c.notAfter)
}

// kept says that nobody else may be given the number.
func (c *modelCode) kept(now time.Time) bool {
	end := c.notAfter.Add(ttl)
	for _, retired := range []time.Time{c.used, c.gaveUp} {
		if !retired.IsZero() {
			end = retired.Add(ttl)
		}
	}
	return now.Before(end)
}

func (m *model) reserve(t *rapid.T) {
	g := m.r.decideOne()
	if g.code == "" {
		return
	}
	now := m.r.now
	for _, other := range m.order {
		c := m.codes[other]
		if other == g.code && c.kept(now) {
			t.Fatalf("%s was given again", other)
		}
		if len(other) == len(g.code) && c.live(now) && distance(other, g.code) < 2 {
			t.Fatalf("%s was given beside %s", g.code, other)
		}
	}
	m.codes[g.code] = &modelCode{given: g, notAfter: now.Add(ttl)}
	m.order = append(m.order, g.code)
	m.pending = append(m.pending, g.code)
}

func (m *model) commit(t *rapid.T) {
	if rapid.IntRange(0, 4).Draw(t, "refused") == 0 {
		m.r.refused(m.r.batch())
		m.lose()
		return
	}
	m.r.commit()
	m.committed()
}

func (m *model) committed() {
	for _, code := range m.pending {
		m.codes[code].committed = true
	}
	m.pending = nil
}

// lose forgets reservations that were not committed.
func (m *model) lose() {
	for _, code := range m.pending {
		if c := m.codes[code]; !c.committed {
			c.gaveUp = m.r.now.Add(-ttl) // the number is free at once
		}
	}
	m.pending = nil
}

func (m *model) guess(t *rapid.T) {
	code := "9999"
	if len(m.order) > 0 && rapid.Bool().Draw(t, "known") {
		code = rapid.SampledFrom(m.order).Draw(t, "code")
	}
	device := rapid.Uint64Range(1, 4).Draw(t, "device")
	budget := m.budgetLeft(device)
	commits := m.r.commits
	reply, request := m.r.guess(code, device, device%2)
	if m.r.commits > commits {
		m.committed()
	}
	c := m.codes[code]
	switch reply.Failure {
	case Failure_CLOSED:
		if c != nil && c.resolvable(m.r.now) && m.r.isHousehold(device%2) && device%2 == 0 {
			t.Fatal("a code was refused in the network that asked for it")
		}
		m.charged[device] = append(m.charged[device], charge{at: m.r.now})
		return
	case Failure_GUESSING:
		return
	}
	if budget <= 0 {
		t.Fatalf("device %d was looked up beyond its budget", device)
	}
	found := c != nil && c.resolvable(m.r.now)
	if got := reply.Failure == Failure_OK; got != found {
		t.Fatalf("resolve %s: %v, want found %v", code, reply.Failure, found)
	}
	if found {
		m.charged[device] = append(m.charged[device], charge{at: m.r.now, open: request})
		m.open = append(m.open, openGuess{code, request, device})
		return
	}
	m.charged[device] = append(m.charged[device], charge{at: m.r.now})
}

// budgetLeft is how many guesses the device has left, seen from outside: fixed
// windows begun by a guess.
func (m *model) budgetLeft(device uint64) int {
	left, begin := int(m.r.budgets.PerDevice), time.Time{}
	for _, c := range m.charged[device] {
		if begin.IsZero() || c.at.Sub(begin) >= guessWindow {
			begin, left = c.at, int(m.r.budgets.PerDevice)
		}
		if !c.back {
			left--
		}
	}
	if m.r.now.Sub(begin) >= guessWindow {
		return int(m.r.budgets.PerDevice)
	}
	return left
}

func (m *model) settle(t *rapid.T) {
	if len(m.open) == 0 {
		return
	}
	g := rapid.SampledFrom(m.open).Draw(t, "guess")
	verdict := rapid.SampledFrom([]Verdict{Verdict_REDEEMED, Verdict_REFUNDED}).Draw(t, "verdict")
	c := m.codes[g.code]
	m.r.end(c.hash, verdict, g.request)
	if verdict == Verdict_REDEEMED && c.used.IsZero() && c.gaveUp.IsZero() {
		c.used = m.r.now
	}
	m.giveBack(g)
}

// giveBack refunds a guess that is still open.
func (m *model) giveBack(g openGuess) {
	if _, remembered := m.r.guesses.find(g.request); m.settled[g.request] || !remembered {
		return
	}
	m.settled[g.request] = true
	m.refund(g)
}

// refund takes the charge back, and forgets a window without any other.
func (m *model) refund(g openGuess) {
	charges := m.charged[g.device]
	m.charged[g.device] = nil
	for i := range charges {
		charges[i].back = charges[i].back || charges[i].open == g.request
	}
	for len(charges) > 0 {
		n := slices.IndexFunc(charges, func(c charge) bool { return c.at.Sub(charges[0].at) >= guessWindow })
		if n < 0 {
			n = len(charges)
		}
		if slices.ContainsFunc(charges[:n], func(c charge) bool { return !c.back }) {
			m.charged[g.device] = append(m.charged[g.device], charges[:n]...)
		}
		charges = charges[n:]
	}
}

func (m *model) retire(t *rapid.T) {
	if len(m.order) == 0 {
		return
	}
	code := rapid.SampledFrom(m.order).Draw(t, "code")
	c := m.codes[code]
	if !c.committed || !c.kept(m.r.now) {
		return
	}
	giveUp(m.r, c.given)
	if c.used.IsZero() && c.gaveUp.IsZero() {
		c.gaveUp = m.r.now
	}
}

func (m *model) wait(t *rapid.T) {
	m.r.after(rapid.SampledFrom([]time.Duration{
		time.Millisecond, time.Second, 20 * time.Second, time.Minute, 5 * time.Minute, ttl,
	}).Draw(t, "time"))
}

// restart loses what was not committed. Guesses that were charged and not settled
// can no longer be refunded, so their charges were not written.
func (m *model) restart(t *rapid.T) {
	m.commit(t)
	if len(m.r.stored) == 0 && m.r.head.Rev == 0 {
		return
	}
	for m.r.pending() {
		m.r.commit()
	}
	for _, g := range m.open {
		m.giveBack(g)
	}
	m.r.restart()
	m.open = nil
}

// check compares what must hold at any time.
func (m *model) check(t *rapid.T) {
	live := 0
	for _, e := range m.r.codes {
		if e.live {
			live++
		}
	}
	if live != m.r.live || live > int(m.r.wanted.MaxLive) {
		t.Fatalf("live: counted %d, have %d", m.r.live, live)
	}
	for _, code := range m.order {
		c := m.codes[code]
		if e := m.r.codes[[HashSize]byte(c.hash)]; c.committed && c.live(m.r.now) && (e == nil || e.owner != "viewer") {
			t.Fatalf("the live code %s is not in the directory", code)
		}
	}
}
