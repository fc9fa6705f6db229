package model

import (
	"slices"

	"ssod/cluster/replica/core"
	"ssod/persistence"
)

// eventEntity is an entity in the key of an event.
func eventEntity(e core.Entity) string { return e.Kind + "/" + e.Identity }

// loseEvents is a mistake.
func (s *state) loseEvents() {
	for k := range s.kv {
		if isEvent(k) {
			s.delete(k)
		}
	}
}

// events applies the events and marks of a commit.
func (s *state) events(c *persistence.Commit, index uint64, n *int) {
	next := func() uint64 { *n++; return persistence.EventSequence(index, *n-1) }
	for _, m := range c.Marks {
		if _, ok := s.kv[string(m.Key)]; !ok {
			continue
		}
		s.delete(string(m.Key))
		switch m.Fate {
		case persistence.Dead:
			s.put(string(m.Key.Moved(m.Fate, 0)), string(m.Body))
		case persistence.Queued:
			s.put(string(m.Key.Moved(m.Fate, next())), string(m.Body))
		}
	}
	entity := ""
	if !c.Marking() {
		entity = eventEntity(c.Entity)
	}
	for _, e := range c.Events {
		s.put(string(persistence.NewEventKey(persistence.EventQueue, e.Receiver, next(), entity)), string(e.Body))
	}
}

func (s *state) forgetEvents(e core.Entity) {
	for k := range s.kv {
		if key := persistence.EventKey(k); isEvent(k) && key.Entity() == eventEntity(e) {
			s.delete(k)
		}
	}
}

// isEvent: the keys of all else have a zero behind their first byte, and so have those of
// events, but theirs begin with other letters.
func isEvent(k string) bool { return k[0] == persistence.EventQueue || k[0] == persistence.EventDead }

// Events are the keys in a space of events, in order.
func (s *Store) Events(id core.ShardID, space byte) []persistence.EventKey {
	m := s.shown(id)
	if m == nil {
		return nil
	}
	var all []persistence.EventKey
	for k := range m.state.kv {
		if k[0] == space {
			all = append(all, persistence.EventKey(k))
		}
	}
	slices.Sort(all)
	return all
}

// Event is the body of an event or a dead letter.
func (s *Store) Event(id core.ShardID, k persistence.EventKey) (string, bool) {
	if m := s.shown(id); m != nil {
		body, ok := m.state.kv[string(k)]
		return body, ok
	}
	return "", false
}
