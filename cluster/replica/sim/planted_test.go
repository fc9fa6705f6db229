package sim

import (
	"testing"

	"ssod/cluster/replica/internal/planted"
)

// found says with which seed each mistake was found last. The search begins
// there, so that it is short as long as the simulation stays the same.
var found = map[string]uint64{
	"ack-before-sync":        1,
	"desired-for-confirmed":  384,
	"fence-answered-late":    14,
	"fence-ignores-old-conf": 184,
	"fence-ignores-term":     4,
	"ignore-proposer-term":   420,
	"judged-once":            229,
	"per-write-revision":     1,
	"read-during-flush":      96,
	"reset-keeps-leases":     7,
	"reuse-replica-id":       6,
	"step-collision":         1,
	"unbounded-time":         12,
	"wipe-on-install-crash":  61,
}

// TestPlanted switches each mistake on and expects the simulation to find it,
// with a seed that finds nothing without it.
func TestPlanted(t *testing.T) {
	for name, mistake := range planted.All() {
		t.Run(name, func(t *testing.T) {
			for seed := found[name]; seed < found[name]+*within; seed++ {
				joins := mistake&planted.Decisions != 0
				res := run(t, Options{Seed: seed, Planted: mistake, Joins: joins})
				if res.Violation == nil {
					continue
				}
				t.Logf("found by seed %d: %v", seed, res.Violation)
				if res := run(t, Options{Seed: seed, Joins: joins}); res.Violation != nil {
					t.Errorf("seed %d without the mistake: %v", seed, res.Violation)
				}
				return
			}
			t.Fatalf("not found in %d seeds", *within)
		})
	}
}
