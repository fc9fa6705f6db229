package persistence

import (
	"bytes"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/cespare/xxhash/v2"
	"github.com/cockroachdb/pebble/v2"

	"ssod/persistence/pace"
)

// The filter has 16 bits and 4 probes for each entity: one look-up in 400 asks
// Pebble for nothing. It begins with room for a million entities in 2 MiB.
const (
	knownRoom   = 1 << 20
	knownBits   = 16
	knownProbes = 4
)

// known says which entities may be stored, so that founding one does not have
// to search all memtables for what is not there. It may say yes wrongly, but
// never no: until a scan of the store has completed it, it always says yes.
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

// probes calls visit with the word and the bit of each probe until it returns
// false.
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

// add remembers that the head with this key is written. The caller holds the
// store's mu, so that no filter takes over unnoticed.
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

// absent reports whether there is certainly no head with this key on disk.
func (s *Store) absent(sh *shard, key []byte) bool {
	return !sh.unscanned.Load() && s.known.absent(key)
}

// learn keeps the filter complete and large enough until the store closes.
func (s *Store) learn() {
	for {
		if err := s.scanHeads(s.known.filter.Load(), pace.Begin()); err != nil {
			s.opts.Logger.Error("store: the filter of entities is not used: scan failed", "error", err)
			return
		}
		select {
		case <-s.known.full:
			s.growKnown()
		case <-s.stop:
			return
		}
	}
}

// growKnown replaces the filter by one twice as large that knows nothing yet but
// what is not flushed. The scan finds what is; later entities are added.
func (s *Store) growKnown() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.known.filter.Store(newKnownFilter(2 * s.known.filter.Load().capacity()))
	for id := range s.shards {
		s.shards[id].tell(ShardID(id), s.known)
	}
}

// tell adds the entities of the shard's layers to the filter.
func (sh *shard) tell(id ShardID, known *known) {
	sh.mu.RLock()
	defer sh.mu.RUnlock()
	key := appendShard(nil, id, subEntity)
	for _, y := range sh.layers() {
		for k := range y.entities {
			known.add(append(key[:shardKeyLen], k...))
		}
	}
}

// longestRest bounds the rests of the scan, so that it ends on a busy machine too.
const longestRest = 100 * time.Millisecond

// scanHeads completes f with every head that is stored. Nobody waits for that, so it
// gives way to requests.
func (s *Store) scanHeads(f *knownFilter, p pacer) error {
	for id := range s.shards {
		stopped, err := s.scanShard(f, appendShard(nil, ShardID(id), subEntity), p)
		if err != nil || stopped {
			return err
		}
	}
	if f.room.Load() > 0 {
		f.complete.Store(true)
		return nil
	}
	select { // too small before it began
	case s.known.full <- struct{}{}:
	default:
	}
	return nil
}

// scanShard adds the heads of one shard, unless the store is closing.
func (s *Store) scanShard(f *knownFilter, prefix []byte, p pacer) (stopped bool, err error) {
	for from := prefix; from != nil; {
		if from, err = s.scanSome(f, from, successor(prefix), p); err != nil {
			return false, err
		}
		if p.Due() && !p.Rest(s.stop, 0, longestRest) {
			return true, nil
		}
	}
	return false, nil
}

// pacer is a [pace.Pace], or none.
type pacer interface {
	Due() bool
	Rest(stop <-chan struct{}, least, most time.Duration) bool
}

// haste is the pace of what is waited for.
type haste struct{}

func (haste) Due() bool                                               { return false }
func (haste) Rest(<-chan struct{}, time.Duration, time.Duration) bool { return true }

// glanceEvery is after how many keys a scan looks at the time.
const glanceEvery = 64

// scanSome adds heads from a key on until a rest is due, and says where to go on;
// nil at the end. No iterator outlives it, because that keeps old tables on disk.
func (s *Store) scanSome(f *knownFilter, from, to []byte, p pacer) (next []byte, err error) {
	it, err := s.db.NewIter(&pebble.IterOptions{LowerBound: from, UpperBound: to})
	if err != nil {
		return nil, damaged(err)
	}
	defer it.Close()
	n := 0
	for it.First(); it.Valid(); it.Next() {
		_, _, part, err := splitEntity(it.Key()[shardKeyLen:])
		if err != nil {
			return nil, fmt.Errorf("scan heads: %w", err)
		}
		if len(part) == 0 {
			f.add(it.Key())
			f.room.Add(-1)
		}
		if n++; n%glanceEvery == 0 && p.Due() {
			return append(bytes.Clone(it.Key()), 0), nil
		}
	}
	return nil, damaged(it.Error())
}
