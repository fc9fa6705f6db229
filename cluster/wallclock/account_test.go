package wallclock

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

const (
	hour = time.Hour
	day  = 24 * hour
	// retention is memberRetention.
	retention = 365 * day
)

var founding = time.Date(2026, 1, 2, 20, 0, 0, 0, time.UTC)

// machine is a node whose clock is set, which sleeps, stops and starts again.
type machine struct {
	truth  time.Time     // what the time really is
	wrong  time.Duration // what its clock is ahead of that
	up     time.Duration // for how long the process has run
	watch  *Watch
	stored []byte
}

func newMachine() *machine {
	m := &machine{truth: founding}
	m.start()
	m.watch.Save()
	return m
}

func (m *machine) clock() time.Time { return m.truth.Add(m.wrong) }

func (m *machine) start() {
	m.up = 0
	w, err := New(Config{
		Clock: m.clock, Up: func() time.Duration { return m.up },
		Stored: m.stored, Trusted: m.stored == nil, Store: func(b []byte) error { m.stored = b; return nil },
	})
	if err != nil {
		panic(err)
	}
	m.watch = w
}

// run lets the process run; it looks at its clock, and stores what it found when
// leaps have come or gone, every minute or so.
func (m *machine) run(d time.Duration) {
	for d > 0 {
		step := min(d, 10*time.Minute)
		m.truth, m.up, d = m.truth.Add(step), m.up+step, d-step
		m.watch.observe()
		if m.watch.leapt() {
			m.watch.Save()
		}
	}
}

// sleep lets time pass that no monotonic clock counts.
func (m *machine) sleep(d time.Duration) {
	m.truth = m.truth.Add(d)
	m.watch.observe()
}

// restart stops the process for a while. What it stored last may be older.
func (m *machine) restart(d time.Duration, saved bool) {
	if saved {
		m.watch.Save()
	}
	m.truth = m.truth.Add(d)
	m.start()
}

func (m *machine) set(wrong time.Duration) {
	m.wrong = wrong
	m.watch.observe()
}

// late is how far the confirmed time is behind the real one.
func (m *machine) late() time.Duration { return m.truth.Sub(m.watch.Confirmed()) }

func (m *machine) wantLate(t *testing.T, what string, want time.Duration) {
	t.Helper()
	if got := m.late(); (got - want).Abs() > noise {
		t.Errorf("%s: the confirmed time is %v late, want %v", what, got, want)
	}
}

func TestAWeekendOfSleepIsConfirmedAfterADayOfUptime(t *testing.T) {
	m := newMachine()
	m.run(8 * hour)
	m.sleep(64 * hour)
	m.wantLate(t, "after the weekend", 64*hour)
	if ahead, wait := m.watch.Unconfirmed(); ahead != 64*hour || wait != Stand {
		t.Errorf("%v is not confirmed for %v, want 64h for 24h", ahead, wait)
	}
	m.run(23 * hour)
	m.restart(time.Minute, true)
	m.wantLate(t, "after 23 hours of uptime", 64*hour+time.Minute)
	m.run(hour)
	m.wantLate(t, "after a day of uptime, with a restart", time.Minute)
}

func TestAWrongClockConfirmsNothing(t *testing.T) {
	for name, wrong := range map[string]time.Duration{"ahead": 410 * day, "behind": -30 * 365 * day} {
		m := newMachine()
		m.run(hour)
		m.set(wrong)
		m.run(23 * hour)
		m.wantLate(t, name, 0)
		m.set(0)
		m.run(day)
		m.wantLate(t, name+", then right", 0)
		m.set(wrong)
		m.restart(hour, true)
		m.run(hour)
		m.set(0)
		m.wantLate(t, name+" over a restart, then right", hour)
		m.run(day)
		m.wantLate(t, name+" over a restart, then right for a day", 0)
	}
}

// What must stand is how far the clock is ahead, whoever set it how often.
func TestAClockThatIsSetInStepsMustStand(t *testing.T) {
	m := newMachine()
	for range 30 { // steps that nobody would notice one by one
		m.set(m.wrong + 59*time.Minute)
		m.run(30 * time.Minute)
	}
	m.wantLate(t, "after 15 hours of steps", 0)
	m.set(m.wrong - 10*59*time.Minute)
	m.run(20 * hour)
	if late := m.late(); late < -20*59*time.Minute || late > 0 {
		t.Errorf("late by %v", late)
	}
}

func TestWhatIsAcceptedIsConfirmed(t *testing.T) {
	m := newMachine()
	m.sleep(10 * day)
	m.watch.Learn(m.truth.Add(-9 * day))
	m.wantLate(t, "what others confirmed", 9*day)
	m.watch.Learn(m.truth.Add(day)) // by a clock that is ahead of this one's
	m.wantLate(t, "accepted", 0)
	m.set(410 * day)
	m.watch.Learn(m.clock())
	m.wantLate(t, "wrong and accepted", -410*day)
	m.set(0)
	m.wantLate(t, "set right", -410*day)
	m.watch.SetBack(m.truth)
	m.wantLate(t, "set back", 0)
	m.sleep(hour)
	m.set(-day)
	m.watch.SetBack(m.truth.Add(-hour)) // the same decision, heard again
	m.wantLate(t, "set back again", hour)
}

// A node that has nothing stored and joins others knows no time until they tell.
func TestANewNodeConfirmsNothingByItself(t *testing.T) {
	w, err := New(Config{})
	if err != nil {
		t.Fatal(err)
	}
	if got := w.Confirmed(); got.Year() != 1970 {
		t.Errorf("confirmed %v", got)
	}
	told := time.Now().Add(-time.Minute)
	w.Learn(told)
	if got := w.Confirmed(); got.Sub(told) < 0 || got.Sub(told) > time.Minute {
		t.Errorf("confirmed %v after %v was told", got, told)
	}
	if _, err := New(Config{Stored: []byte("{")}); err == nil {
		t.Error("a damaged account is taken")
	}
}

// TestNoSequenceOfJumpsDropsAMember: whatever happens to the clock and to the
// process, a member that was seen within the retention is not dropped, unless a
// wrong time stood for a day of uptime or was accepted. One thing is left out: a
// clock that is behind while a long sleep is not confirmed. Whoever is seen then is
// stamped as if the sleep had not been, and ages by it when it is confirmed.
func TestNoSequenceOfJumpsDropsAMember(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := newMachine()
		type member struct{ seen, stamp time.Time }
		var members []member
		var ahead time.Duration // for how long the clock has been ahead
		jump := rapid.Custom(func(t *rapid.T) time.Duration {
			size := rapid.SampledFrom([]time.Duration{time.Second, time.Minute, 59 * time.Minute, hour, day, 30 * day, 410 * day, 30 * 365 * day}).Draw(t, "size")
			return size * time.Duration(rapid.IntRange(-3, 3).Draw(t, "times"))
		})
		t.Repeat(map[string]func(*rapid.T){
			"set": func(t *rapid.T) {
				wrong := jump.Draw(t, "wrong")
				if wrong < 0 && m.late() > noise {
					t.Skip()
				}
				m.set(wrong)
			},
			"run": func(t *rapid.T) {
				for d := time.Duration(rapid.IntRange(1, 72).Draw(t, "hours")) * hour; d > 0; d -= hour {
					if ahead >= Stand-2*hour && m.wrong > 0 {
						m.set(0) // a wrong time does not stand
					}
					m.run(hour)
					if ahead += hour; m.wrong <= 0 {
						ahead = 0
					}
				}
			},
			"sleep or stop": func(t *rapid.T) {
				d := time.Duration(rapid.IntRange(0, 50*24).Draw(t, "hours")) * hour
				if m.wrong < 0 {
					t.Skip()
				}
				switch rapid.IntRange(0, 2).Draw(t, "how") {
				case 0:
					m.sleep(d)
				case 1:
					m.restart(d, true)
				default:
					m.restart(d, false)
				}
			},
			"see": func(*rapid.T) {
				stamp := m.clock()
				if c := m.watch.Confirmed(); c.After(stamp) {
					stamp = c
				}
				members = append(members, member{m.truth, stamp})
			},
			"": func(t *rapid.T) {
				now := m.watch.Confirmed()
				if m.clock().Before(now) {
					now = m.clock()
				}
				for _, one := range members {
					if age := m.truth.Sub(one.seen); now.Sub(one.stamp) >= retention && age < retention {
						t.Fatalf("a member seen %v ago is dropped: stamped %v, confirmed %v, clock %v", age, one.stamp, now, m.clock())
					}
				}
				if late := m.late(); late < -noise {
					t.Fatalf("the confirmed time is %v ahead of the real one", -late)
				}
			},
		})
	})
}
