package state

import (
	"bytes"
	"fmt"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"ssod/persistence/data"
	"ssod/persistence/layout"
	"ssod/persistence/pace"
)

// absent reports whether there is certainly no head with this key on disk.
func (s *Shards) absent(sh *shard, key []byte) bool {
	return !sh.unscanned.Load() && s.known.absent(key)
}

// Learn keeps the filter of entities complete and large enough until it is stopped.
func (s *Shards) Learn(stop <-chan struct{}) {
	for {
		if err := s.scanHeads(s.known.filter.Load(), pace.Begin(), stop); err != nil {
			s.config.Logger.Error("store: the filter of entities is not used: scan failed", "error", err)
			return
		}
		select {
		case <-s.known.full:
			s.growKnown()
		case <-stop:
			return
		}
	}
}

// growKnown replaces the filter by one twice as large that knows only what is not flushed.
// The scan finds the rest; later entities are added.
func (s *Shards) growKnown() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.known.filter.Store(newKnownFilter(2 * s.known.filter.Load().capacity()))
	for id := range s.shards {
		s.shards[id].tell(data.ShardID(id), s.known)
	}
}

// tell adds the entities of the layers to the filter.
func (sh *shard) tell(id data.ShardID, known *known) {
	sh.mu.RLock()
	defer sh.mu.RUnlock()
	key := layout.AppendShard(nil, id, layout.SubEntity)
	for _, y := range sh.layers() {
		for k := range y.entities {
			known.add(append(key[:layout.ShardKeyLen], k...))
		}
	}
}

// longestRest bounds the rests of the scan, so that it also ends on a busy machine.
const longestRest = 100 * time.Millisecond

// scanHeads completes f with every stored head. It yields to requests.
func (s *Shards) scanHeads(f *knownFilter, p pacer, stop <-chan struct{}) error {
	for id := range s.shards {
		stopped, err := s.scanShard(f, layout.AppendShard(nil, data.ShardID(id), layout.SubEntity), p, stop)
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

// scanShard adds the heads of one shard, unless it is stopped.
func (s *Shards) scanShard(f *knownFilter, prefix []byte, p pacer, stop <-chan struct{}) (stopped bool, err error) {
	for from := prefix; from != nil; {
		if from, err = s.scanSome(f, from, layout.Successor(prefix), p); err != nil {
			return false, err
		}
		if p.Due() && !p.Rest(stop, 0, longestRest) {
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

// haste is the pace of a scan that is waited for.
type haste struct{}

func (haste) Due() bool                                               { return false }
func (haste) Rest(<-chan struct{}, time.Duration, time.Duration) bool { return true }

// glanceEvery is the number of keys after which a scan looks at the time.
const glanceEvery = 64

// scanSome adds heads from a key on until a rest is due, and returns the next key; nil at
// the end. No iterator outlives it, because that keeps old tables on disk.
func (s *Shards) scanSome(f *knownFilter, from, to []byte, p pacer) (next []byte, err error) {
	it, err := s.db.NewIter(&pebble.IterOptions{LowerBound: from, UpperBound: to})
	if err != nil {
		return nil, layout.Damaged(err)
	}
	defer it.Close()
	n := 0
	for it.First(); it.Valid(); it.Next() {
		_, part, err := layout.SplitEntity(it.Key()[layout.ShardKeyLen:])
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
	return nil, layout.Damaged(it.Error())
}
