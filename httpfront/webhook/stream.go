package webhook

import (
	"time"

	"ssod/cluster"
)

// window is how many events of a stream are in memory: the oldest that wait.
const window = 256

// overhead is what an event takes on disk besides its body, about.
const overhead = 128

// stream is what waits in a shard for one receiver.
type stream struct {
	receiver uint64
	items    []*item
	loaded   uint64 // sequence of the last event that came into items
	counted  uint64 // and that was counted
	count    int
	bytes    int64
	dropped  int       // not yet told
	since    time.Time // of the oldest that was dropped
}

// item is an event in memory.
type item struct {
	key      cluster.EventKey
	letter   letter
	size     int64
	attempts int
	next     time.Time
	busy     bool
	fate     fate
	lost     bool // given up, and not yet told
}

// fate is what is to become of an event.
type fate uint8

const (
	waits     fate = iota
	delivered      // the receiver has it
	died           // becomes a dead letter
	dropped        // goes, untold
)

func sizeOf(k cluster.EventKey, body []byte) int64 { return int64(len(k)+len(body)) + overhead }

// count counts what was posted since it was called last.
func (s *stream) tally(h cluster.Shard) error {
	return h.Events(cluster.EventQueue, s.receiver, s.counted, func(k cluster.EventKey, body []byte) bool {
		s.counted = k.Sequence()
		s.count++
		s.bytes += sizeOf(k, body)
		return true
	})
}

// fill reads events until as many are in memory as may be.
func (s *stream) fill(h cluster.Shard, room int) error {
	if len(s.items) > room/2 || s.loaded >= s.counted {
		return nil
	}
	return h.Events(cluster.EventQueue, s.receiver, s.loaded, func(k cluster.EventKey, body []byte) bool {
		if k.Sequence() > s.counted {
			return false
		}
		s.loaded = k.Sequence()
		l, err := parseLetter(body)
		it := &item{key: k, letter: l, size: sizeOf(k, body)}
		if err != nil {
			it.fate = dropped // of a version that this one does not know, or damaged
		}
		s.items = append(s.items, it)
		return len(s.items) < room
	})
}

// oldest is when the oldest event was created that waits; zero: none.
func (s *stream) oldest() time.Time {
	if len(s.items) == 0 {
		return time.Time{}
	}
	return s.items[0].letter.Created
}

// next are the events that may be sent now: of each entity only the first that waits. What
// has waited for too long by the time of the shard is given up.
func (s *stream) next(now, shard time.Time, known bool) (ready []*item) {
	taken := map[string]bool{}
	for _, it := range s.items {
		switch {
		case it.fate != waits:
			continue
		case shard.Sub(it.letter.Created) >= Life && !it.busy:
			s.giveUp(it, known)
			continue
		case taken[it.key.Entity()]:
			continue
		}
		taken[it.key.Entity()] = true
		if !it.busy && !now.Before(it.next) {
			ready = append(ready, it)
		}
	}
	return ready
}

// giveUp makes a dead letter of an event, or drops it if no receiver is known that it could
// be sent to later.
func (s *stream) giveUp(it *item, known bool) {
	it.fate = dropped
	if known {
		it.fate = died
	}
	s.lose(it)
}

// lose counts an event that is given up. What such an event tells of goes into the next.
func (s *stream) lose(it *item) {
	count, since := 1, it.letter.Created
	if told, tells := it.letter.tells(); tells {
		count, since = told.Count, told.Since
	} else {
		it.lost = true
	}
	if s.dropped == 0 || since.Before(s.since) {
		s.since = since
	}
	s.dropped += count
}

// settle removes those that a commit has marked.
func (s *stream) settle(marked map[cluster.EventKey]bool) {
	kept := s.items[:0]
	for _, it := range s.items {
		if !marked[it.key] {
			kept = append(kept, it)
			continue
		}
		s.count--
		s.bytes -= it.size
	}
	clear(s.items[len(kept):])
	s.items = kept
	if len(s.items) == 0 && s.loaded >= s.counted {
		s.count, s.bytes = 0, 0 // some may have been forgotten with their entities
	}
}

// exists reports whether an event was not forgotten since it came into memory.
func (s *stream) exists(h cluster.Shard, it *item) (found bool, err error) {
	err = h.Events(cluster.EventQueue, s.receiver, it.key.Sequence()-1, func(k cluster.EventKey, _ []byte) bool {
		found = k == it.key
		return false
	})
	return found, err
}
