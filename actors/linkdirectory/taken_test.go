package linkdirectory

import (
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func TestPatternSet(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		set, want := newPatternSet(0), map[uint32]bool{}
		// Few homes, some at the end of the table, so that searches collide and
		// wrap around; enough patterns for the table to grow.
		pattern := rapid.Custom(func(t *rapid.T) uint32 {
			home := rapid.SampledFrom([]uint32{1, 2, 1022, 1023}).Draw(t, "home")
			return home<<22 | rapid.Uint32Range(0, 300).Draw(t, "rest")
		})
		for _, p := range rapid.SliceOfN(pattern, 0, 900).Draw(t, "patterns") {
			if want[p] {
				set.remove(p)
				delete(want, p)
			} else {
				set.add(p)
				want[p] = true
			}
			if set.has(p) != want[p] {
				t.Fatalf("has %x: got %v", p, !want[p])
			}
		}
		for p := range want {
			if !set.has(p) {
				t.Fatalf("%x was lost", p)
			}
		}
		if set.size != len(want) {
			t.Fatalf("size: got %d, want %d", set.size, len(want))
		}
	})
}

func TestPatternSetFromMany(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	patterns := make([]uint32, 50_000)
	for i := range patterns {
		patterns[i] = random.Uint32()
	}
	patterns[0], patterns[1] = 0, 1<<32-1
	set := newPatternSet(len(patterns))
	set.addAll(patterns)
	for _, p := range patterns {
		if !set.has(p) {
			t.Fatalf("%x was lost", p)
		}
	}
	others := 0
	for range 10_000 {
		if p := random.Uint32(); set.has(p) && !slices.Contains(patterns, p) {
			others++
		}
	}
	if others > 0 {
		t.Errorf("%d patterns are there that were not added", others)
	}
	for _, p := range patterns {
		set.remove(p)
	}
	if set.size != 0 {
		t.Errorf("%d patterns are left", set.size)
	}
}
