package state

import (
	"cmp"
	"maps"
	"math"
	"slices"

	"ssod/persistence/data"
	"ssod/persistence/layout"
)

// events are those that were posted in a layer's time, and what became of earlier ones.
type events struct {
	queue []queued                   // in order of sequence
	to    map[uint64]bool            // receivers of those
	at    map[data.EventKey]int      // where in the queue; [ended]: it does not wait any longer
	dead  map[data.EventKey][]byte   // nil: not any longer
	gone  map[data.EventKey]struct{} // keys of older layers and of the disk
}

// ended is the place of an event that does not wait any longer.
const ended = -1

// queued is an event; without a body it does not wait any longer.
type queued struct {
	key  data.EventKey
	body []byte
}

// eventOverhead is the memory of an event without its body.
const eventOverhead = 192

// post adds an event, which is later than all before it, and returns its memory.
func (es *events) post(key data.EventKey, body []byte) (bytes int) {
	if es.at == nil {
		es.at, es.to = map[data.EventKey]int{}, map[uint64]bool{}
	}
	es.to[key.Receiver()] = true
	es.at[key] = len(es.queue)
	es.queue = append(es.queue, queued{key, body})
	return eventOverhead + len(body)
}

// bury adds a dead letter and returns its memory.
func (es *events) bury(key data.EventKey, body []byte) (bytes int) {
	if es.dead == nil {
		es.dead = map[data.EventKey][]byte{}
	}
	es.dead[key] = body
	return eventOverhead + len(body)
}

// end ends an event or a dead letter, of this layer or an older one, and returns the memory
// that it takes more.
func (es *events) end(key data.EventKey) (bytes int) {
	if i, ok := es.at[key]; ok {
		if i == ended {
			return 0
		}
		bytes = -len(es.queue[i].body)
		es.queue[i].body, es.at[key] = nil, ended
		return bytes
	}
	if body, ok := es.dead[key]; ok {
		es.dead[key] = nil
		return -len(body)
	}
	if es.gone == nil {
		es.gone = map[data.EventKey]struct{}{}
	}
	if _, ok := es.gone[key]; ok {
		return 0
	}
	es.gone[key] = struct{}{}
	return eventOverhead
}

// forget ends what the layer has of an entity and returns the memory that this frees. What
// is older is hidden when it is read, and deleted by the flush.
func (es *events) forget(entity string) (bytes int) {
	for i := range es.queue {
		if q := &es.queue[i]; q.body != nil && q.key.Entity() == entity {
			bytes += len(q.body)
			q.body, es.at[q.key] = nil, ended
		}
	}
	for key, body := range es.dead {
		if key.Entity() == entity {
			bytes += len(body)
			es.dead[key] = nil
		}
	}
	return bytes
}

// has reports whether the layer has an event; over: whether what is older does not count.
func (y *layer) has(key data.EventKey) (found, over bool) {
	es := &y.events
	if i, ok := es.at[key]; ok {
		return i != ended, true
	}
	if body, ok := es.dead[key]; ok {
		return body != nil, true
	}
	if _, gone := es.gone[key]; gone {
		return false, true
	}
	return false, y.forgotten[key.Entity()]
}

// has reports whether the layers have an event; over: whether that on disk does not count.
func (ys layers) has(key data.EventKey) (found, over bool) {
	for _, y := range ys {
		if found, over = y.has(key); over {
			return found, true
		}
	}
	return false, false
}

// applyEvents applies the events and marks of a commit, which was applied, of the entry at
// an index; n events came before in the entry. The caller holds the lock of the shard.
func (sh *shard) applyEvents(p *prepared, index uint64, n int) (after int) {
	if len(p.Events)+len(p.Marks) == 0 {
		return n
	}
	y := sh.active
	for i := range p.Marks {
		m := &p.Marks[i]
		exists, known := y.has(m.Key)
		if !known {
			exists = p.waits[i]
		}
		if !exists {
			continue
		}
		y.bytes += y.events.end(m.Key)
		switch m.Fate {
		case data.Dead:
			y.bytes += y.events.bury(m.Key.Moved(m.Fate, 0), m.Body)
		case data.Queued:
			y.bytes += y.events.post(m.Key.Moved(m.Fate, data.EventSequence(index, n)), m.Body)
			n++
		}
	}
	entity := ""
	if !p.Marking() {
		entity = string(p.key[layout.ShardKeyLen:])
	}
	for _, e := range p.Events {
		y.bytes += y.events.post(data.NewEventKey(data.SpaceQueue, e.Receiver, data.EventSequence(index, n), entity), e.Body)
		n++
	}
	sh.posted.Add(1)
	return n
}

// eventsOf are the layers' events of a receiver in a space behind a sequence, in order. They
// are complete up to the end: of those that wait not more than most are visited.
func (ys layers) eventsOf(space byte, receiver, after uint64, most int) (found []queued, end uint64) {
	if space == data.SpaceDead {
		return ys.deadOf(receiver, after), math.MaxUint64
	}
	for _, y := range slices.Backward(ys) { // the older one has the lower sequences
		for _, q := range y.events.queue[y.events.behind(after):] {
			if most--; most < 0 {
				return found, q.key.Sequence() - 1
			}
			if q.body != nil && q.key.Receiver() == receiver && ys.have(q.key) {
				found = append(found, q)
			}
		}
	}
	return found, math.MaxUint64
}

// deadOf are the layers' dead letters of a receiver behind a sequence, in order.
func (ys layers) deadOf(receiver, after uint64) (found []queued) {
	for _, y := range ys {
		for key, body := range y.events.dead {
			if body != nil && key.Receiver() == receiver && key.Sequence() > after && ys.have(key) {
				found = append(found, queued{key, body})
			}
		}
	}
	slices.SortFunc(found, func(a, b queued) int { return cmp.Compare(a.key, b.key) })
	return found
}

// behind is the index of the first event behind a sequence.
func (es *events) behind(sequence uint64) int {
	i, _ := slices.BinarySearchFunc(es.queue, sequence+1, func(q queued, s uint64) int { return cmp.Compare(q.key.Sequence(), s) })
	return i
}

// have reports whether an event of some layer has not ended in a newer one.
func (ys layers) have(key data.EventKey) bool {
	found, _ := ys.has(key)
	return found
}

// addReceivers adds the receivers of the layers' events in a space.
func (ys layers) addReceivers(to map[uint64]bool, space byte) {
	for _, y := range ys {
		if space == data.SpaceQueue {
			maps.Copy(to, y.events.to)
			continue
		}
		for key := range y.events.dead {
			to[key.Receiver()] = true
		}
	}
}
