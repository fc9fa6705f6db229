package persistence

import (
	"encoding/binary"
	"sync"
)

// A generation of recent holds 8,192 outcomes at 16 bits and 4 probes each: one
// look-up in 400 asks the disk for nothing.
const (
	recentOutcomes    = 8 << 10
	recentBits        = recentOutcomes * 16
	recentGenerations = 64
)

// recent knows which outcomes of a shard may be stored, so that the usual
// look-up, of a request that was never here, asks no disk. It may say yes
// wrongly, but never no: it holds every outcome of the window in shard time, or
// knows that it does not (blind).
type recent struct {
	mu          sync.Mutex
	blind       int64 // says yes to everything until this shard time, ms
	generations []recentGeneration
}

type recentGeneration struct {
	bits   []uint64
	count  int
	newest int64 // shard time, ms
}

// blindUntil makes the filter useless until a shard time, because it does not
// know what was stored before.
func (r *recent) blindUntil(time int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.blind = max(r.blind, time)
}

// restart forgets everything, because the shard time was set back to now: what
// was added until then counts as added now.
func (r *recent) restart(now int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.blind, r.generations = now+OutcomeWindow.Milliseconds(), nil
}

// add remembers an outcome that is written at the given shard time.
func (r *recent) add(request RequestID, step uint32, now int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := len(r.generations)
	if n == 0 || r.generations[n-1].count == recentOutcomes {
		r.forget(now)
		r.generations = append(r.generations, recentGeneration{bits: make([]uint64, recentBits/64)})
		n = len(r.generations)
	}
	g := &r.generations[n-1]
	g.count++
	g.newest = now
	for bit := range recentProbes(request, step) {
		g.bits[bit/64] |= 1 << (bit % 64)
	}
}

// forget drops generations that are older than the window, or the oldest if
// there are too many.
func (r *recent) forget(now int64) {
	limit := now - OutcomeWindow.Milliseconds()
	for len(r.generations) > 0 && r.generations[0].newest <= limit {
		r.generations = r.generations[1:]
	}
	if len(r.generations) == recentGenerations {
		r.blind = max(r.blind, r.generations[0].newest+OutcomeWindow.Milliseconds())
		r.generations = r.generations[1:]
	}
}

// maybe reports whether an outcome may be stored.
func (r *recent) maybe(request RequestID, step uint32, now int64) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if now < r.blind {
		return true
	}
	for i := range r.generations {
		if r.generations[i].has(request, step) {
			return true
		}
	}
	return false
}

func (g *recentGeneration) has(request RequestID, step uint32) bool {
	for bit := range recentProbes(request, step) {
		if g.bits[bit/64]&(1<<(bit%64)) == 0 {
			return false
		}
	}
	return true
}

// recentProbes yields four bits. Request ids are random, so their own bits are
// the hash.
func recentProbes(request RequestID, step uint32) func(yield func(uint32) bool) {
	a, b := binary.BigEndian.Uint64(request[:]), binary.BigEndian.Uint64(request[8:])
	b |= 1
	a += uint64(step) * 0x9e3779b97f4a7c15
	return func(yield func(uint32) bool) {
		for range 4 {
			if !yield(uint32(a>>32) % recentBits) {
				return
			}
			a += b
		}
	}
}
