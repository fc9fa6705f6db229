package linkdirectory

import "math/bits"

// patternSet is a set of pattern digests: a table with linear probing, at most half full.
// Digests are random, so their upper bits say where the search begins, and adding them in
// roughly ascending order touches memory in order. That is why it is not a map: a realm
// has over a million patterns, and a map took half of the time of loading after a
// failover.
type patternSet struct {
	slots []uint32 // a power of two of them; 0 is free
	shift int
	size  int
}

// newPatternSet returns a set with room for n patterns.
func newPatternSet(n int) *patternSet {
	width := max(10, bits.Len(uint(2*n)))
	return &patternSet{slots: make([]uint32, 1<<width), shift: 32 - width}
}

// slot finds the pattern, or the free slot where it belongs.
func (s *patternSet) slot(p uint32) int {
	i := int(p >> s.shift)
	for s.slots[i] != p && s.slots[i] != 0 {
		i = (i + 1) & (len(s.slots) - 1)
	}
	return i
}

// nonzero avoids the value of a free slot. That two digests become one costs a candidate
// at worst.
func nonzero(p uint32) uint32 { return max(p, 1) }

func (s *patternSet) has(p uint32) bool { return s.slots[s.slot(nonzero(p))] != 0 }

func (s *patternSet) add(p uint32) {
	if 2*(s.size+1) > len(s.slots) {
		s.grow()
	}
	if i := s.slot(nonzero(p)); s.slots[i] == 0 {
		s.slots[i] = nonzero(p)
		s.size++
	}
}

func (s *patternSet) grow() {
	larger := newPatternSet(len(s.slots))
	for _, p := range s.slots {
		if p != 0 {
			larger.add(p)
		}
	}
	*s = *larger
}

// remove takes a pattern out and moves up those that it had displaced.
func (s *patternSet) remove(p uint32) {
	free := s.slot(nonzero(p))
	if s.slots[free] == 0 {
		return
	}
	s.size--
	mask := len(s.slots) - 1
	for i := (free + 1) & mask; s.slots[i] != 0; i = (i + 1) & mask {
		home := int(s.slots[i] >> s.shift)
		if (i-home)&mask >= (i-free)&mask {
			s.slots[free] = s.slots[i]
			free = i
		}
	}
	s.slots[free] = 0
}

// addAll adds many patterns, sorted roughly first.
func (s *patternSet) addAll(patterns []uint32) {
	var ends [257]int
	for _, p := range patterns {
		ends[p>>24+1]++
	}
	for i := range 256 {
		ends[i+1] += ends[i]
	}
	sorted := make([]uint32, len(patterns))
	for _, p := range patterns {
		sorted[ends[p>>24]] = p
		ends[p>>24]++
	}
	for _, p := range sorted {
		s.add(p)
	}
}
