package faulty

import (
	"bytes"
	"maps"
	"slices"

	"ssod/cluster"
	"ssod/persistence"
)

// eventEntity is an entity in the key of an event.
func eventEntity(e cluster.Entity) string { return e.Kind + "/" + e.Identity }

// applyEvents applies the events and marks of a commit.
func (s *state) applyEvents(c cluster.Commit) {
	if len(c.Events)+len(c.Marks) == 0 {
		return
	}
	s.posted++
	n := 0
	next := func() uint64 { n++; return persistence.EventSequence(s.index, n-1) }
	for _, m := range c.Marks {
		if _, ok := s.events[m.Key]; !ok {
			continue
		}
		delete(s.events, m.Key)
		switch m.Fate {
		case cluster.Dead:
			s.events[m.Key.Moved(m.Fate, 0)] = bytes.Clone(m.Body)
		case cluster.Queued:
			s.events[m.Key.Moved(m.Fate, next())] = bytes.Clone(m.Body)
		}
	}
	entity := ""
	if !c.Marking() {
		entity = eventEntity(c.Entity)
	}
	for _, e := range c.Events {
		s.events[persistence.NewEventKey(cluster.EventQueue, e.Receiver, next(), entity)] = bytes.Clone(e.Body)
	}
}

func (s *state) forgetEvents(e cluster.Entity) {
	maps.DeleteFunc(s.events, func(k cluster.EventKey, _ []byte) bool { return k.Entity() == eventEntity(e) })
}

func (h *handle) Posted() (n uint64) {
	h.see(func(s *state) { n = s.posted })
	return n
}

func (h *handle) Receivers(space byte) ([]uint64, error) {
	all := map[uint64]bool{}
	h.see(func(s *state) {
		for k := range s.events {
			if k.Space() == space {
				all[k.Receiver()] = true
			}
		}
	})
	return slices.Sorted(maps.Keys(all)), nil
}

func (h *handle) Events(space byte, receiver, after uint64, f func(key cluster.EventKey, body []byte) bool) error {
	found := map[cluster.EventKey][]byte{}
	h.see(func(s *state) {
		for k, body := range s.events {
			if k.Space() == space && k.Receiver() == receiver && k.Sequence() > after {
				found[k] = bytes.Clone(body)
			}
		}
	})
	for _, k := range slices.Sorted(maps.Keys(found)) {
		if !f(k, found[k]) {
			return nil
		}
	}
	return nil
}
