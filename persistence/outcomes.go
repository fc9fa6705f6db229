package persistence

import (
	"bytes"
	"encoding/binary"
	"fmt"
)

// What a head record may hold of the entity's latest outcomes. Most entities
// never have more within the window, so their outcomes cost no records.
const (
	maxHeld      = 12
	maxHeldBytes = 512
)

// heldLen is the length of request, step, time and result's length before the
// result.
const heldLen = requestLen + 8 + 2

// held is an outcome and the shard time at which it was committed, in ms.
type held struct {
	Outcome
	time int64
}

// outcomes are encoded outcomes in a head record, the oldest first.
type outcomes []byte

func appendHeld(b outcomes, all []held) outcomes {
	for i := range all {
		h := &all[i]
		b = appendRequest(b, h.Request, h.Step)
		b = binary.BigEndian.AppendUint64(b, uint64(h.time))
		b = binary.BigEndian.AppendUint16(b, uint16(len(h.Result)))
		b = append(b, h.Result...)
	}
	return b
}

// next decodes the first outcome and returns what follows it; false when there
// is none. Its result is part of b.
func (b outcomes) next() (h held, rest outcomes, ok bool) {
	if len(b) < heldLen {
		return held{}, b, false
	}
	copy(h.Request[:], b)
	h.Step = binary.BigEndian.Uint32(b[len(h.Request):])
	h.time = int64(binary.BigEndian.Uint64(b[requestLen:]))
	if h.Result, rest, ok = cutLength(b[requestLen+8:], 2); !ok {
		return held{}, b, false
	}
	return h, rest, true
}

// check reports whether b is what a head may hold.
func (b outcomes) check() error {
	n, rest := 0, b
	for ok := true; ok; n++ {
		_, rest, ok = rest.next()
	}
	if n--; n < 1 || n > maxHeld || len(rest) > 0 || len(b) > maxHeldBytes {
		return fmt.Errorf("%w: %d outcomes in %d bytes of a head", ErrDamaged, n, len(b))
	}
	return nil
}

// find returns a copy of the latest result of a step of a request that is kept.
func (b outcomes) find(r RequestID, step uint32, w window) (result []byte, found bool) {
	for h, rest, ok := b.next(); ok; h, rest, ok = rest.next() {
		if h.Request == r && h.Step == step && w.keeps(h.time) {
			result, found = h.Result, true
		}
	}
	return bytes.Clone(result), found
}

// fit reports whether a head may hold all of them.
func fit(all []held) bool {
	if len(all) > maxHeld {
		return false
	}
	size := 0
	for i := range all {
		size += heldLen + len(all[i].Result)
	}
	return size <= maxHeldBytes
}

// answers reports whether c has an outcome of this step of this request.
func (c *Commit) answers(r RequestID, step uint32) bool {
	for i := range c.Outcomes {
		if c.Outcomes[i].Request == r && c.Outcomes[i].Step == step {
			return true
		}
	}
	return false
}

// outcomes returns what the head holds after the commit: what it held and the
// window has not passed, and the commit's own. What does not fit, the oldest
// first, becomes records, and so do all outcomes of a removal. st.key is the
// key of the head.
func (st *stage) outcomes(id ShardID, c *Commit, stored outcomes, now int64) outcomes {
	all := st.held[:0]
	w := st.store.shards[id].window(now)
	if c.Forget {
		stored = nil
		st.forget(id)
	}
	for h, rest, ok := stored.next(); ok; h, rest, ok = rest.next() {
		if w.keeps(h.time) && !c.answers(h.Request, h.Step) {
			all = append(all, h)
		}
	}
	carried := len(all)
	for i := range c.Outcomes {
		st.store.shards[id].recent.add(c.Outcomes[i].Request, c.Outcomes[i].Step, now)
		all = append(all, held{c.Outcomes[i], now})
	}
	st.held = all
	switch {
	case c.Remove:
		st.spill(id, all)
		return nil
	case !fit(all[carried:]):
		st.spill(id, all[carried:])
		all = all[:carried]
	}
	for !fit(all) {
		st.spill(id, all[:1])
		all = all[1:]
	}
	st.block = appendHeld(st.block[:0], all)
	return st.block
}

// forget deletes the records of an entity's outcomes; st.key is the key of the
// head. What the queue has of them is no more than their keys.
func (st *stage) forget(id ShardID) {
	st.value = append(appendShard(st.value[:0], id, subOutcome), st.key[shardKeyLen:]...)
	st.set(st.batch.DeleteRange(st.value, successor(st.value), nil))
}

// spill writes outcomes as records; st.key is the key of the head.
func (st *stage) spill(id ShardID, all []held) {
	t := st.touch(id)
	entity := st.key[shardKeyLen:]
	for i := range all {
		h := &all[i]
		t.queue(h.time)
		st.value = appendOutcomeKey(st.value[:0], id, entity, h.Request, h.Step)
		st.set(st.batch.Set(st.value, h.Result, nil))
		st.value = appendRequest(append(appendQueueTime(st.value[:0], id, h.time), entity...), h.Request, h.Step)
		st.set(st.batch.Set(st.value, nil, nil))
	}
}

// outcome reads an outcome of the entity with the head key k. It looks into the
// head first: what leaves the head becomes a record in the same batch, so it is
// never missed between the two.
func (s *Store) outcome(id ShardID, k []byte, r RequestID, step uint32) (result []byte, ok bool, err error) {
	v, err := s.storedRevision(k)
	if err != nil {
		return nil, false, err
	}
	sh := &s.shards[id]
	if result, ok := v.outcomes.find(r, step, sh.window(sh.time.Load())); ok {
		return result, true, nil
	}
	result, err = s.get(appendOutcomeKey(make([]byte, 0, 160), id, k[shardKeyLen:], r, step))
	return result, result != nil, err
}
