package webhook

import (
	"time"

	"ssod/cluster"
)

// How many of the events that wait in a stream are in memory: the oldest.
const (
	// window is how many usually.
	window = 256
	// leastWindow is how many if there are many streams.
	leastWindow = 2 * perReceiver
	// overWindow is how many while the oldest have to go, and how many in any case, those
	// included that wait only for a commit.
	overWindow = 4096
)

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
	tells    dropNote // what its receiver is told of it when it is given up
	lost     bool     // given up, and no events.dropped itself
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

// tally counts what was posted since it was called last, as far as the budget goes.
func (s *stream) tally(h cluster.Shard, budget *int) error {
	return h.Events(cluster.EventQueue, s.receiver, s.counted, func(k cluster.EventKey, body []byte) bool {
		s.counted = k.Sequence()
		s.count++
		s.bytes += sizeOf(k, body)
		*budget--
		return *budget > 0
	})
}

// fill reads events until as many are in memory as may be.
func (s *stream) fill(h cluster.Shard, room int) error {
	waiting := s.waiting()
	if s.loaded >= s.counted || waiting > room/2 || len(s.items) >= overWindow {
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
		waiting++
		return waiting < room && len(s.items) < overWindow
	})
}

// waiting is how many of the events in memory wait for their delivery.
func (s *stream) waiting() (n int) {
	for _, it := range s.items {
		if it.fate == waits {
			n++
		}
	}
	return n
}

// oldest is when the oldest event was created that waits; zero: none.
func (s *stream) oldest() time.Time {
	for _, it := range s.items {
		if it.fate == waits {
			return it.letter.Created
		}
	}
	return time.Time{}
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
			it.giveUp(known)
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
func (it *item) giveUp(known bool) {
	it.fate = dropped
	if known {
		it.fate = died
	}
	it.lose()
}

// lose notes that an event is given up. What an events.dropped tells goes into the next.
func (it *item) lose() {
	told, tells := it.letter.tells()
	if it.tells, it.lost = told, !tells; it.lost {
		it.tells = dropNote{1, it.letter.Created}
	}
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
