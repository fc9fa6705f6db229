package state

import (
	"sync/atomic"

	"github.com/cespare/xxhash/v2"
)

// The filter has 16 bits and 4 probes for each entity: one look-up in 400 asks Pebble in
// vain. It begins with room for a million entities in 2 MiB.
const (
	knownRoom   = 1 << 20
	knownBits   = 16
	knownProbes = 4
)

// known says which entities may be stored, so that a commit to a new one does not search
// all memtables in vain. It may wrongly say yes, but never no: until a scan of the store
// has completed it, it always says yes.
type known struct {
	filter atomic.Pointer[knownFilter]
	full   chan struct{} // asks for a larger filter
}

type knownFilter struct {
	bits     []atomic.Uint64 // a power of two
	room     atomic.Int64
	complete atomic.Bool
}

func newKnown() *known {
	k := &known{full: make(chan struct{}, 1)}
	k.filter.Store(newKnownFilter(knownRoom))
	return k
}

// newKnownFilter makes a filter for n entities, a power of two.
func newKnownFilter(n int64) *knownFilter {
	f := &knownFilter{bits: make([]atomic.Uint64, n*knownBits/64)}
	f.room.Store(n)
	return f
}

// capacity is for how many entities the filter was made.
func (f *knownFilter) capacity() int64 { return int64(len(f.bits)) * 64 / knownBits }

// probes calls visit with the word and the bit of each probe until it returns false.
func (f *knownFilter) probes(key []byte, visit func(word *atomic.Uint64, bit uint64) bool) {
	h := xxhash.Sum64(key)
	step := h>>33 | 1
	for range knownProbes {
		if !visit(&f.bits[h/64%uint64(len(f.bits))], 1<<(h%64)) {
			return
		}
		h += step
		h = h<<29 | h>>35
	}
}

func (f *knownFilter) add(key []byte) {
	f.probes(key, func(word *atomic.Uint64, bit uint64) bool {
		word.Or(bit)
		return true
	})
}

func (f *knownFilter) maybe(key []byte) bool {
	yes := true
	f.probes(key, func(word *atomic.Uint64, bit uint64) bool {
		yes = word.Load()&bit != 0
		return yes
	})
	return yes
}

// add remembers that the head with this key is written. The caller holds the store's mu,
// so that the filter is not replaced meanwhile.
func (k *known) add(key []byte) {
	f := k.filter.Load()
	f.add(key)
	if f.room.Add(-1) == 0 {
		select {
		case k.full <- struct{}{}:
		default:
		}
	}
}

// absent reports whether there is certainly no head with this key.
func (k *known) absent(key []byte) bool {
	f := k.filter.Load()
	return f.complete.Load() && !f.maybe(key)
}
