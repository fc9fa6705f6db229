package e2e

import "sync"

// sampledShare is how many calls of a mass there are for one that is checked.
const sampledShare = 20

// sample chooses the calls that are checked against the OpenAPI document where
// there are too many to check all: of each status the first, then one in so many.
// A nil sample chooses all.
type sample struct {
	every  int
	mu     sync.Mutex
	seen   map[int]int // status -> calls answered so
	chosen map[int]int // status -> of these, how many were chosen
}

func newSample(every int) *sample {
	return &sample{every: every, seen: map[int]int{}, chosen: map[int]int{}}
}

func (s *sample) picks(status int) bool {
	if s == nil {
		return true
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seen[status]++
	if s.seen[status]%s.every != 1 {
		return false
	}
	s.chosen[status]++
	return true
}
