package faulty

import (
	"bytes"
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"ssod/cluster"
	"ssod/persistence"
)

// state is what one shard has stored.
type state struct {
	time     time.Time
	entities map[cluster.Entity]*stored
	outcomes map[outcomeKey][]byte
	queue    []queued // outcomes in order of time
	events   map[cluster.EventKey][]byte
	index    uint64 // counts the commits that were applied
	posted   uint64
}

type stored struct {
	head    cluster.Head
	records map[string][]byte
}

type outcomeKey struct {
	entity  cluster.Entity
	request cluster.RequestID
	step    uint32
}

type queued struct {
	key  outcomeKey
	time time.Time
}

func newState() *state {
	return &state{
		time:     time.UnixMilli(0).UTC(),
		entities: map[cluster.Entity]*stored{},
		outcomes: map[outcomeKey][]byte{},
		events:   map[cluster.EventKey][]byte{},
	}
}

// clone is the state as an owner goes on to see it that was deposed.
func (s *state) clone() *state {
	c := &state{time: s.time, entities: maps.Clone(s.entities), outcomes: maps.Clone(s.outcomes), events: maps.Clone(s.events), index: s.index, posted: s.posted}
	for e, v := range c.entities {
		c.entities[e] = &stored{head: v.head, records: maps.Clone(v.records)}
	}
	return c
}

func (s *state) rev(e cluster.Entity) uint64 {
	if v, ok := s.entities[e]; ok {
		return v.head.Rev
	}
	return 0
}

// bump is a change by another owner that leaves the state as it is.
func (s *state) bump(e cluster.Entity) bool {
	v, ok := s.entities[e]
	if ok {
		v.head.Rev++
	}
	return ok
}

// apply writes c, or nothing if the stored revision is another.
func (s *state) apply(c cluster.Commit, now time.Time) error {
	if !c.Marking() && s.rev(c.Entity) != c.BaseRev {
		return cluster.ErrRejected
	}
	s.index++
	if now = now.Truncate(time.Millisecond).UTC(); now.After(s.time) {
		s.time = now
	}
	switch {
	case c.Marking():
	case c.Remove:
		delete(s.entities, c.Entity)
	default:
		s.change(c)
	}
	if c.Forget {
		s.forgetEvents(c.Entity)
		maps.DeleteFunc(s.outcomes, func(k outcomeKey, _ []byte) bool { return k.entity == c.Entity })
	}
	for _, o := range c.Outcomes {
		k := outcomeKey{c.Entity, o.Request, o.Step}
		s.outcomes[k] = append([]byte{}, o.Result...)
		s.queue = append(s.queue, queued{k, s.time})
	}
	s.applyEvents(c)
	s.trim()
	return nil
}

func (s *state) change(c cluster.Commit) {
	v, ok := s.entities[c.Entity]
	if !ok {
		v = &stored{records: map[string][]byte{}}
		s.entities[c.Entity] = v
	}
	v.head = cluster.Head{Rev: c.BaseRev + 1, Schema: c.Schema, State: append([]byte{}, c.State...)}
	for _, r := range c.Puts {
		v.records[r.Part] = append([]byte{}, r.Value...)
	}
	for _, part := range c.Deletes {
		delete(v.records, part)
	}
}

// trim drops outcomes older than the window.
func (s *state) trim() {
	for len(s.queue) > 0 && s.time.Sub(s.queue[0].time) > persistence.OutcomeWindow {
		delete(s.outcomes, s.queue[0].key)
		s.queue = s.queue[1:]
	}
}

func (s *state) head(e cluster.Entity) (cluster.Head, bool) {
	v, ok := s.entities[e]
	if !ok {
		return cluster.Head{}, false
	}
	h := v.head
	h.State = append([]byte{}, h.State...)
	return h, true
}

// records are copies of an entity's records in order of part.
func (s *state) records(e cluster.Entity) []cluster.Record {
	v, ok := s.entities[e]
	if !ok {
		return nil
	}
	var all []cluster.Record
	for _, part := range slices.Sorted(maps.Keys(v.records)) {
		all = append(all, cluster.Record{Part: part, Value: bytes.Clone(v.records[part])})
	}
	return all
}

// identities are those of a kind after one of them, in the order of keys:
// shorter ones first.
func (s *state) identities(kind, after string) []string {
	var all []string
	for e := range s.entities {
		if e.Kind == kind && (after == "" || compareIdentity(e.Identity, after) > 0) {
			all = append(all, e.Identity)
		}
	}
	slices.SortFunc(all, compareIdentity)
	return all
}

func compareIdentity(a, b string) int {
	return cmp.Or(cmp.Compare(len(a), len(b)), strings.Compare(a, b))
}
