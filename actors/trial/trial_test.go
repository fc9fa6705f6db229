package trial_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"ssod/actors"
	"ssod/actors/trial"
	"ssod/cluster"
	"ssod/cluster/faulty"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const retention = 9600 * time.Hour

// world is a runtime whose clock the test moves.
type world struct {
	*testing.T
	trial.Client
	mu    sync.Mutex
	ahead time.Duration
}

func newWorld(t *testing.T, o faulty.Options) *world {
	t.Helper()
	w := &world{T: t}
	o.Clock = func() time.Time {
		w.mu.Lock()
		defer w.mu.Unlock()
		return time.Now().Add(w.ahead)
	}
	shards := faulty.New(o).Node("a:1")
	kinds := trial.Kinds(trial.Config{Retention: func() time.Duration { return retention }})
	r, err := actors.Start(actors.Config{Shards: shards, Slots: shards.Slots, Self: "a:1", Kinds: kinds})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
		defer cancel()
		if err := r.Stop(ctx); err != nil {
			t.Error(err)
		}
	})
	w.Client = trial.Client{Asker: r}
	return w
}

func (w *world) wait(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ahead += d
}

var pass = trial.MVPD{Realm: "acme", ID: "trial"}

// by is a caller; an empty identity is none.
func by(device, identity string) trial.Caller {
	c := trial.Caller{MVPD: pass, Device: []byte(device)}
	if identity != "" {
		c.Identity = []byte(identity)
	}
	return c
}

func request() (r cluster.RequestID) {
	rand.Read(r[:])
	return r
}

func (w *world) use(who trial.Caller, a trial.Allowed, resources ...string) *trial.Outcome {
	w.Helper()
	o, err := w.Use(w.Context(), request(), who, a, resources)
	if err != nil {
		w.Fatal(err)
	}
	return o
}

func (w *world) standing(who trial.Caller, a trial.Allowed) trial.Standing {
	w.Helper()
	_, v, err := w.Look(w.Context(), request(), who, a)
	if err != nil {
		w.Fatal(err)
	}
	return v.GetStanding()
}

var anHour = trial.Allowed{TTL: time.Hour}

func TestTheClockStartsAtTheFirstAuthorization(t *testing.T) {
	w := newWorld(t, faulty.Options{})
	tv := by("tv", "")
	if got := w.standing(tv, anHour); got != trial.Standing_NEW {
		t.Errorf("before: %v", got)
	}
	w.wait(2 * time.Hour)
	if got := w.use(tv, anHour, "news"); got.View.GetStanding() != trial.Standing_GOOD || !got.Permitted[0] {
		t.Errorf("first authorization: %v", got)
	}
	w.wait(59 * time.Minute)
	if got := w.use(tv, anHour, "film"); got.View.GetStanding() != trial.Standing_GOOD || !got.Permitted[0] {
		t.Errorf("in the last minute: %v", got)
	}
	w.wait(time.Minute)
	if got := w.use(tv, anHour, "news"); got.View.GetStanding() != trial.Standing_OVER || len(got.Permitted) > 0 {
		t.Errorf("afterwards: %v", got)
	}
	if got := w.standing(tv, trial.Allowed{TTL: 2 * time.Hour}); got != trial.Standing_GOOD {
		t.Errorf("with a longer life in the configuration: %v", got)
	}
}

// The vendor's table: what is known of either gives the existing trial.
func TestWhoseTrialItIs(t *testing.T) {
	w := newWorld(t, faulty.Options{})
	first := w.use(by("tv", "ada"), anHour).ID
	for _, tt := range []struct {
		device, identity string
		existing         bool
	}{
		{"tv", "ada", true},
		{"phone", "ada", true},
		{"tv", "ben", true},
		{"tv", "", true},
		{"phone", "", true},
		{"tablet", "ben", true},
		{"laptop", "cleo", false},
		{"box", "", false},
	} {
		got := w.use(by(tt.device, tt.identity), anHour).ID
		if existing := slices.Equal(got, first); existing != tt.existing {
			t.Errorf("device %s, identity %q: the same trial %v, want %v", tt.device, tt.identity, existing, tt.existing)
		}
	}
	other := by("tv", "")
	other.ID = "other"
	if got := w.use(other, anHour).ID; slices.Equal(got, first) {
		t.Error("another MVPD has the same trial")
	}
}

// A device and an identity that both have one get the one that began first.
func TestTwoTrialsMeet(t *testing.T) {
	w := newWorld(t, faulty.Options{})
	older := w.use(by("tv", ""), anHour).ID
	w.wait(time.Minute)
	younger := w.use(by("phone", "ada"), anHour).ID
	if got := w.use(by("tv", "ada"), anHour).ID; !slices.Equal(got, older) {
		t.Errorf("got %x, want %x", got, older)
	}
	if got := w.use(by("phone", ""), anHour).ID; !slices.Equal(got, younger) {
		t.Errorf("the phone alone: got %x, want %x", got, younger)
	}
}

func TestResourcesRunOut(t *testing.T) {
	w := newWorld(t, faulty.Options{})
	tv, two := by("tv", "ada"), trial.Allowed{TTL: time.Hour, MaxResources: 2}
	got := w.use(tv, two, "a", "a", "b", "c")
	if !slices.Equal(got.Permitted, []bool{true, true, true, false}) || got.View.GetStanding() != trial.Standing_SPENT {
		t.Errorf("got %v, %v", got.Permitted, got.View)
	}
	if got := w.use(by("phone", "ada"), two, "c", "b"); !slices.Equal(got.Permitted, []bool{false, true}) {
		t.Errorf("elsewhere: got %v", got.Permitted)
	}
	if got := w.standing(tv, two); got != trial.Standing_SPENT {
		t.Errorf("got %v", got)
	}
}

func TestAnAddressBeginsSoManyADay(t *testing.T) {
	w := newWorld(t, faulty.Options{})
	two := trial.Allowed{TTL: time.Hour, PerAddress: 2}
	from := func(device string) trial.Caller {
		c := by(device, "")
		c.Network = []byte("home")
		return c
	}
	for _, tt := range []struct {
		device  string
		crowded bool
	}{{"1", false}, {"2", false}, {"3", true}, {"2", false}, {"3", true}} {
		if got := w.use(from(tt.device), two).Crowded; got != tt.crowded {
			t.Errorf("device %s: crowded %v, want %v", tt.device, got, tt.crowded)
		}
	}
	if w.use(by("3", ""), two).Crowded {
		t.Error("crowded without an address")
	}
	w.wait(24*time.Hour + time.Second)
	if w.use(from("4"), two).Crowded {
		t.Error("crowded a day later")
	}
}

func TestReset(t *testing.T) {
	for name, tt := range map[string]struct {
		reset                    func(w *world) error
		device, both, otherThere bool // whose trial is a new one then
	}{
		"device":   {func(w *world) error { return w.ResetDevice(w.Context(), request(), pass, []byte("tv")) }, true, false, false},
		"identity": {func(w *world) error { return w.ResetIdentity(w.Context(), request(), pass, []byte("ada")) }, false, false, false},
		"all":      {func(w *world) error { return w.ResetAll(w.Context(), request(), pass) }, true, true, true},
	} {
		for of, caller := range map[string]trial.Caller{"device": by("tv", ""), "both": by("tv", "ada"), "other": by("box", "")} {
			w := newWorld(t, faulty.Options{})
			w.use(by("tv", "ada"), anHour)
			w.use(by("box", ""), anHour)
			if err := tt.reset(w); err != nil {
				t.Fatal(err)
			}
			want := map[string]bool{"device": tt.device, "both": tt.both, "other": tt.otherThere}[of]
			if got := w.standing(caller, anHour) == trial.Standing_NEW; got != want {
				t.Errorf("reset %s, then %s: new %v, want %v", name, of, got, want)
			}
		}
	}
}

// Many devices of one viewer, and the viewer's identities, ask at once, on a store that
// fails in every way: there is one start, and as many resources as are allowed.
func TestATrialStartsOnce(t *testing.T) {
	const devices, most = 32, 5
	for seed := range uint64(40) {
		percent := 20
		if seed > 4 { // most run at full speed
			percent = 0
		}
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			w := newWorld(t, faulty.Options{Commits: faulty.Seeded(seed, percent)})
			allowed := trial.Allowed{TTL: time.Hour, MaxResources: most, PerAddress: 1}
			outcomes := make([]*trial.Outcome, devices)
			var done sync.WaitGroup
			for i := range outcomes {
				done.Go(func() {
					who := by(fmt.Sprint("device", i), "ada")
					who.Network = []byte("home")
					outcomes[i] = w.persist(who, allowed, fmt.Sprint("film", i))
				})
			}
			done.Wait()
			began, permitted := map[int64]bool{}, 0
			for i, o := range outcomes {
				began[o.View.GetBeganMs()] = true
				if o.Crowded {
					t.Errorf("device %d: crowded out by its own trial", i)
				}
				if len(o.Permitted) == 1 && o.Permitted[0] {
					permitted++
				}
			}
			if len(began) != 1 || permitted != most {
				t.Errorf("%d starts, %d resources, want 1 and %d", len(began), permitted, most)
			}
		})
	}
}

// persist repeats a request with its id until its outcome is known.
func (w *world) persist(who trial.Caller, a trial.Allowed, resource string) *trial.Outcome {
	id := request()
	for {
		o, err := w.Use(w.Context(), id, who, a, []string{resource})
		if err == nil {
			return o
		}
		if w.Context().Err() != nil {
			w.Error(err)
			return &trial.Outcome{}
		}
	}
}

// Two devices that swap identities, at once: whoever comes to whom, all of them share one
// trial in the end.
func TestTrialsThatMeetBeforeTheyBegin(t *testing.T) {
	for range 50 {
		w := newWorld(t, faulty.Options{})
		var done sync.WaitGroup
		for _, who := range []trial.Caller{by("tv", "ada"), by("phone", "ben"), by("tv", "ben"), by("phone", "ada")} {
			done.Go(func() { w.use(who, anHour, "film") })
		}
		done.Wait()
		ids := map[string]bool{}
		for _, who := range []trial.Caller{by("tv", "ada"), by("phone", "ben"), by("tv", "ben"), by("phone", "ada")} {
			ids[string(w.use(who, anHour, "film").ID)] = true
		}
		if len(ids) > 2 { // tv and phone may have begun one each before they met
			t.Fatalf("%d trials", len(ids))
		}
	}
}
