package sim

import (
	"flag"
	"testing"
	"testing/cryptotest"
	"time"
)

var (
	seeds    = flag.Uint64("seeds", 20, "how many seeds to run")
	from     = flag.Uint64("from", 1, "the first seed")
	duration = flag.Duration("duration", 30*time.Second, "virtual time with faults")
	blind    = flag.Bool("blind", false, "do not look into the disks for what is promised")
	within   = flag.Uint64("within", 1000, "how many seeds may pass before a planted mistake is found")
	verbose  = flag.Bool("stats", false, "say what each run was like")
)

// run runs one seed. Raft draws election timeouts from crypto/rand, so that is
// seeded too.
func run(t *testing.T, o Options) Result {
	t.Helper()
	cryptotest.SetGlobalRandom(t, o.Seed)
	return Run(o)
}

func TestSim(t *testing.T) {
	for seed := *from; seed < *from+*seeds; seed++ {
		res := run(t, Options{Seed: seed, Duration: *duration})
		if res.Violation != nil {
			t.Errorf("%v\nreplay: make sim SEEDS=1 FROM=%d DURATION=%v", res.Violation, seed, *duration)
		}
		if *verbose {
			t.Logf("seed %d: %v", seed, res)
		}
	}
}
