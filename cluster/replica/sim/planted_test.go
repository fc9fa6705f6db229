package sim

import (
	"maps"
	"slices"
	"testing"

	"ssod/cluster/replica/internal/planted"
)

// TestPlanted switches each mistake on and expects the simulation to find it.
func TestPlanted(t *testing.T) {
	all := planted.All()
	for _, name := range slices.Sorted(maps.Keys(all)) {
		t.Run(name, func(t *testing.T) {
			for seed := uint64(1); seed <= *within; seed++ {
				res := run(t, Options{Seed: seed, Duration: *duration, Planted: all[name], NoPromises: *blind})
				if res.Violation != nil {
					t.Logf("found by seed %d: %v", seed, res.Violation)
					return
				}
			}
			t.Fatalf("not found in %d seeds", *within)
		})
	}
}
