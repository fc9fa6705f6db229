package sim

import (
	"flag"
	"os"
	"testing"
	"testing/cryptotest"
	"time"

	"github.com/google/go-cmp/cmp"

	"ssod/cluster/replica/internal/planted"
)

var (
	seeds    = flag.Uint64("seeds", 0, "how many seeds to run; 0 means as many as fit in the budget")
	from     = flag.Uint64("from", 1, "the first seed")
	duration = flag.Duration("duration", 20*time.Second, "virtual time with faults")
	budget   = flag.Duration("budget", budgetOf(), "how long to run when seeds is 0")
	within   = flag.Uint64("within", 1000, "how many seeds may pass before a planted mistake is found")
	blind    = flag.Bool("blind", false, "do not look into the disks for what is promised")
)

func budgetOf() time.Duration {
	if os.Getenv("SSOD_LONG") != "" {
		return 2 * time.Minute
	}
	return 3 * time.Second
}

// run runs one seed. Raft draws election timeouts from crypto/rand, so that is
// seeded too.
func run(t *testing.T, o Options) Result {
	t.Helper()
	cryptotest.SetGlobalRandom(t, o.Seed)
	o.Duration, o.NoPromises = *duration, *blind
	planted.Engine = o.Planted
	return Run(o)
}

// TestSeedsThatFoundSomething replays what was wrong once: 5351, an entry that
// only memory had was pushed out of it; 831 and 5775, a leader left alone forgot
// in a crash that it was; 2067, what a leader with a leapt clock left in its log was
// ignored for ever; 8334, a disk was lost while a change of members ended,
// and no replica could be elected.
func TestSeedsThatFoundSomething(t *testing.T) {
	for _, seed := range []uint64{831, 2067, 5351, 5775, 8334} {
		if res := run(t, Options{Seed: seed}); res.Violation != nil {
			t.Error(res.Violation)
		}
	}
}

func TestSim(t *testing.T) { simulate(t, Options{}, "sim") }

// TestJoins lets nodes join, be replaced and removed at bad moments.
func TestJoins(t *testing.T) { simulate(t, Options{Joins: true}, "sim JOINS=1") }

// TestEvents tells a receiver of every commit.
func TestEvents(t *testing.T) { simulate(t, Options{Events: true}, "sim EVENTS=1") }

// TestScales lets nodes join and be drained, in zones or not, and zones go dark.
func TestScales(t *testing.T) { simulate(t, Options{Scales: true}, "sim SCALES=1") }

// simulate runs one seed after the other.
func simulate(t *testing.T, o Options, target string) {
	t.Helper()
	start := time.Now()
	seed, unchecked := *from, 0
	for ; more(seed, start); seed++ {
		o.Seed = seed
		res := run(t, o)
		if res.Violation != nil {
			t.Errorf("%v\nreplay: make %s SEEDS=1 FROM=%d DURATION=%v", res.Violation, target, seed, *duration)
		}
		if res.Unchecked {
			unchecked++
		}
		if *seeds == 1 {
			t.Log(res)
		}
	}
	t.Logf("%d seeds of %v in %v, %d histories too hard to check", seed-*from, *duration, time.Since(start).Round(time.Millisecond), unchecked)
}

func more(seed uint64, start time.Time) bool {
	if *seeds > 0 {
		return seed < *from+*seeds
	}
	return time.Since(start) < *budget
}

func TestSameSeedSameRun(t *testing.T) {
	for _, o := range []Options{{}, {Seed: 1}, {Seed: 2}, {Joins: true}, {Seed: 1, Joins: true}, {Scales: true}, {Seed: 1, Scales: true}, {Seed: 1, Events: true}} {
		first, second := run(t, o), run(t, o)
		if diff := cmp.Diff(first, second); diff != "" {
			t.Errorf("%+v, two runs (-first +second):\n%s", o, diff)
		}
	}
	if cmp.Equal(run(t, Options{Seed: 1}), run(t, Options{Seed: 2})) {
		t.Error("seeds 1 and 2 do the same")
	}
}
