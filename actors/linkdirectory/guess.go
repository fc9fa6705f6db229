package linkdirectory

import (
	"time"

	"ssod/cluster"
)

const (
	// guessLife is how long a guess is remembered: a request repeats or settles
	// it within its deadline.
	guessLife = 15 * time.Second
	// maxGuesses bounds the guesses remembered. One that is forgotten early
	// cannot be refunded.
	maxGuesses = 1 << 16
)

// guess is one resolve that was charged. It is remembered for a while, so that
// a repeat is not charged again and a settlement refunds exactly once.
type guess struct {
	request                   cluster.RequestID
	hash                      [HashSize]byte
	reply                     *ResolveReply
	at                        int64 // ms
	device, address           uint64
	deviceStart, addressStart int64
	open                      bool // found its code and is not settled
}

// guesses remembers the last guesses, oldest first.
type guesses struct {
	limit int
	byID  map[cluster.RequestID]*guess
	queue []*guess // from first on
	first int
}

func newGuesses(limit int) *guesses {
	return &guesses{limit: limit, byID: make(map[cluster.RequestID]*guess)}
}

func (s *guesses) find(r cluster.RequestID) *guess { return s.byID[r] }

func (s *guesses) add(g *guess) *guess {
	s.forget(g.at - guessLife.Milliseconds())
	s.byID[g.request] = g
	s.queue = append(s.queue, g)
	return g
}

// forget drops the guesses made before ms, and the oldest beyond the limit.
func (s *guesses) forget(before int64) {
	for s.first < len(s.queue) && (s.queue[s.first].at < before || len(s.byID) >= s.limit) {
		delete(s.byID, s.queue[s.first].request)
		s.queue[s.first] = nil
		s.first++
	}
	if s.first > len(s.queue)/2 {
		s.queue = append(s.queue[:0], s.queue[s.first:]...)
		s.first = 0
	}
}
