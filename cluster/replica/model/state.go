package model

import (
	"encoding/binary"
	"hash/maphash"
	"maps"
	"slices"
	"strings"

	"ssod/cluster/replica/core"
	"ssod/cluster/replica/internal/planted"
	"ssod/persistence"
)

// state is the replicated state of a shard, with a digest that does not depend
// on the order of writes.
type state struct {
	kv     map[string]string
	digest uint64
	queue  []queued // outcomes by time
	// reset is to when the shard time was set back last, while there may be
	// later outcomes; else 0.
	reset uint64
}

type queued struct {
	time uint64
	key  string
}

// outcomeWindow is how long an outcome is kept, in milliseconds of shard time.
const outcomeWindow = 60_000

// trimStep is how many outcomes an entry trims, and two more for each that it
// adds.
const trimStep = 256

var seed = maphash.MakeSeed()

func hash(k, v string) uint64 {
	var h maphash.Hash
	h.SetSeed(seed)
	h.WriteString(k)
	h.WriteByte(0)
	h.WriteString(v)
	return h.Sum64()
}

func newState() state { return state{kv: map[string]string{}} }

func (s *state) clone() state {
	return state{kv: maps.Clone(s.kv), digest: s.digest, queue: append([]queued(nil), s.queue...), reset: s.reset}
}

func (s *state) put(k, v string) {
	s.delete(k)
	s.kv[k] = v
	s.digest += hash(k, v)
}

func (s *state) delete(k string) {
	if old, ok := s.kv[k]; ok {
		s.digest -= hash(k, old)
		delete(s.kv, k)
	}
}

func entityKey(sub string, e core.Entity) string {
	return sub + "\x00" + e.Kind + "\x00" + e.Identity + "\x00"
}

func (s *state) head(e core.Entity) (persistence.Head, bool) {
	v, ok := s.kv[entityKey("e", e)]
	if !ok {
		return persistence.Head{}, false
	}
	return persistence.Head{
		Rev:    binary.BigEndian.Uint64([]byte(v[:8])),
		Schema: binary.BigEndian.Uint32([]byte(v[8:12])),
		State:  []byte(v[12:]),
	}, true
}

func encodeHead(rev uint64, schema uint32, st []byte) string {
	b := binary.BigEndian.AppendUint64(nil, rev)
	b = binary.BigEndian.AppendUint32(b, schema)
	return string(append(b, st...))
}

// apply applies one commit of the entry at an index; false means that the revision is
// another. n counts the events of the entry.
func (s *state) apply(c *persistence.Commit, now, index uint64, n *int, bugs planted.Set) bool {
	if c.Marking() {
		s.events(c, index, n)
		return true
	}
	head, _ := s.head(c.Entity)
	if head.Rev != c.BaseRev {
		if bugs.Has(planted.PerWriteRevision) {
			s.records(c)
		}
		if bugs.Has(planted.EventOfRejected) {
			s.events(c, index, n)
		}
		return false
	}
	if c.Remove {
		s.remove(c.Entity)
	} else {
		s.put(entityKey("e", c.Entity), encodeHead(c.BaseRev+1, c.Schema, c.State))
	}
	s.records(c)
	if c.Forget {
		s.deletePrefix(entityKey("o", c.Entity))
		s.queue = slices.DeleteFunc(s.queue, func(q queued) bool { return strings.HasPrefix(q.key, entityKey("o", c.Entity)) })
		s.forgetEvents(c.Entity)
	}
	s.events(c, index, n)
	for _, o := range c.Outcomes {
		k := outcomeKey(c.Entity, o.Request, o.Step, bugs)
		s.put(k, string(o.Result))
		s.enqueue(queued{now, k})
	}
	return true
}

func (s *state) records(c *persistence.Commit) {
	prefix := entityKey("p", c.Entity)
	for _, r := range c.Puts {
		s.put(prefix+r.Part, string(r.Value))
	}
	for _, part := range c.Deletes {
		s.delete(prefix + part)
	}
}

func (s *state) remove(e core.Entity) {
	s.delete(entityKey("e", e))
	s.deletePrefix(entityKey("p", e))
}

func (s *state) deletePrefix(prefix string) {
	for k := range s.kv {
		if strings.HasPrefix(k, prefix) {
			s.delete(k)
		}
	}
}

// enqueue keeps the queue in order although the shard time was set back.
func (s *state) enqueue(q queued) {
	at := len(s.queue)
	for at > 0 && s.queue[at-1].time > q.time {
		at--
	}
	s.queue = slices.Insert(s.queue, at, q)
}

// trim forgets outcomes that are older than the window, when an entry that
// added some was applied, and those of before a reset when that is so old.
func (s *state) trim(now uint64, added int) {
	limit := trimStep + 2*added
	for n := 0; n < limit && len(s.queue) > 0 && s.queue[0].time+outcomeWindow <= now; n++ {
		s.delete(s.queue[0].key)
		s.queue = s.queue[1:]
	}
	if s.reset == 0 || s.reset+outcomeWindow > now {
		return
	}
	n := 0
	for ; n < limit && len(s.queue) > 0 && s.queue[len(s.queue)-1].time > now; n++ {
		s.delete(s.queue[len(s.queue)-1].key)
		s.queue = s.queue[:len(s.queue)-1]
	}
	if n < limit {
		s.reset = 0
	}
}

func outcomeKey(e core.Entity, r persistence.RequestID, step uint32, bugs planted.Set) string {
	if bugs.Has(planted.StepCollision) {
		step = 0
	}
	return entityKey("o", e) + string(binary.BigEndian.AppendUint32(r[:], step))
}
