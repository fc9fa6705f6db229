package sim

import (
	"flag"
	"os/exec"
	"testing"

	"ssod/cluster/replica/internal/planted"
)

var changed = flag.Bool("changed", false, "this binary was built with the mistakes of the engine")

// found says with which seed each mistake was found last. The search begins
// there, so that it is short as long as the simulation stays the same.
var found = map[string]uint64{
	"ack-before-sync":         1,
	"desired-for-confirmed":   512,
	"fence-answered-late":     209,
	"fence-ignores-old-conf":  184,
	"fence-ignores-term":      4,
	"ignore-proposer-term":    420,
	"judged-once":             229,
	"leaves-by-map":           1,
	"per-write-revision":      1,
	"read-during-flush":       96,
	"reset-keeps-leases":      7,
	"reuse-replica-id":        6,
	"step-collision":          1,
	"unbounded-time":          12,
	"unflushed-conf":          245,
	"voucher-from-before":     17,
	"voucher-of-another-term": 73,
	"wipe-on-install-crash":   61,
}

// TestPlanted makes each mistake and expects the simulation to find it, with a
// seed that finds nothing without it.
func TestPlanted(t *testing.T) {
	if !*changed {
		t.Run("engine", func(t *testing.T) {
			t.Parallel()
			plantInEngine(t)
		})
	}
	for name, mistake := range planted.All() {
		if planted.InEngine.Has(mistake) != *changed {
			continue
		}
		t.Run(name, func(t *testing.T) { find(t, name, mistake) })
	}
}

func find(t *testing.T, name string, mistake planted.Set) {
	o := Options{Joins: planted.Decisions.Has(mistake), Scales: planted.Scaling.Has(mistake), Events: planted.Events.Has(mistake)}
	for seed := found[name]; seed < found[name]+*within; seed++ {
		o.Seed, o.Planted = seed, mistake
		res := run(t, o)
		if res.Violation == nil {
			continue
		}
		t.Logf("found by seed %d: %v", seed, res.Violation)
		o.Planted = 0
		if res := run(t, o); res.Violation != nil {
			t.Errorf("seed %d without the mistake: %v", seed, res.Violation)
		}
		return
	}
	t.Fatalf("not found in %d seeds", *within)
}

// plantInEngine runs TestPlanted of a binary with a changed engine.
func plantInEngine(t *testing.T) {
	binary := t.TempDir() + "/changed.test"
	build := exec.CommandContext(t.Context(), "go", "test", "-overlay", changedEngine(t), "-c", "-o", binary, ".")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build the changed engine: %v\n%s", err, out)
	}
	search := exec.CommandContext(t.Context(), binary, "-changed", "-test.run", "^TestPlanted$", "-test.v",
		"-within", flag.Lookup("within").Value.String(), "-duration", duration.String())
	out, err := search.CombinedOutput()
	t.Logf("%s", out)
	if err != nil {
		t.Error(err)
	}
}
