package persistence

import (
	"bytes"
	"slices"
)

// layer is what was applied to a shard since a moment: of every entity that was
// changed the newest state, once, and the outcomes. The shard's lock guards it.
type layer struct {
	entities map[string]*change // by what a head key has behind the shard
	outcomes map[outcomeID]result
	bytes    int // about what it takes in memory
}

// change is what is new of an entity.
type change struct {
	rev      uint64 // 0: the entity does not exist
	schema   uint32
	identity string
	state    []byte
	parts    bool              // it has, or had, records
	wiped    bool              // the records of older layers and of the disk are gone
	forgot   bool              // and so are their outcomes
	records  map[string][]byte // nil: deleted
}

// outcomeID names an outcome within a layer.
type outcomeID struct {
	of      *change
	request RequestID
	step    uint32
}

// result is an outcome's, and the shard time at which it was committed, in ms.
type result struct {
	bytes []byte
	time  int64
}

// What a change, a record and an outcome take beside their bytes.
const (
	changeOverhead  = 224
	recordOverhead  = 96
	outcomeOverhead = 112
)

func newLayer() *layer {
	return &layer{entities: map[string]*change{}, outcomes: map[outcomeID]result{}}
}

// apply makes a commit part of the layer, at a shard time. stored says what there was before, if
// the layer does not; its revision is the one that the commit rests on.
func (y *layer) apply(key []byte, c *Commit, stored revision, now int64) {
	e, ok := y.entities[string(key)]
	if !ok {
		k := string(key)
		e = &change{identity: c.Entity.Identity, parts: stored.parts}
		y.entities[k] = e
		y.bytes += changeOverhead + len(k) + len(e.identity)
	}
	if c.Forget {
		y.forget(e)
	}
	if c.Remove {
		y.remove(e)
	} else {
		y.bytes -= cap(e.state)
		e.rev, e.schema, e.state = c.BaseRev+1, c.Schema, append(e.state[:0], c.State...)
		y.bytes += cap(e.state)
		y.put(e, c)
	}
	for i := range c.Outcomes {
		o := &c.Outcomes[i]
		id := outcomeID{e, o.Request, o.Step}
		if old, ok := y.outcomes[id]; ok {
			y.bytes -= outcomeOverhead + len(old.bytes)
		}
		y.outcomes[id] = result{append([]byte{}, o.Result...), now}
		y.bytes += outcomeOverhead + len(o.Result)
	}
}

// put changes records beside a head.
func (y *layer) put(e *change, c *Commit) {
	if len(c.Puts)+len(c.Deletes) == 0 {
		return
	}
	if e.records == nil {
		e.records = map[string][]byte{}
	}
	for i := range c.Puts {
		y.record(e, c.Puts[i].Part, append([]byte{}, c.Puts[i].Value...))
		e.parts = true
	}
	for _, part := range c.Deletes {
		y.record(e, part, nil)
	}
}

func (y *layer) record(e *change, part string, value []byte) {
	if old, ok := e.records[part]; ok {
		y.bytes -= recordOverhead + len(part) + len(old)
	}
	e.records[part] = value
	y.bytes += recordOverhead + len(part) + len(value)
}

// remove ends an entity with its records.
func (y *layer) remove(e *change) {
	for part, value := range e.records {
		y.bytes -= recordOverhead + len(part) + len(value)
	}
	y.bytes -= cap(e.state)
	e.wiped = e.wiped || e.parts
	e.rev, e.schema, e.state, e.records, e.parts = 0, 0, nil, nil, false
}

// forget drops the outcomes of an entity, those of this layer and, once it is
// asked or written, those before.
func (y *layer) forget(e *change) {
	e.forgot = true
	for id, r := range y.outcomes {
		if id.of == e {
			y.bytes -= outcomeOverhead + len(r.bytes)
			delete(y.outcomes, id)
		}
	}
}

// reset has outcomes that are later than a time count as of then.
func (y *layer) reset(time int64) {
	for id, r := range y.outcomes {
		r.time = min(r.time, time)
		y.outcomes[id] = r
	}
}

// revision is what a change leaves for the next one.
func (e *change) revision() revision { return revision{rev: e.rev, parts: e.parts} }

// head returns a copy of the entity's head; false when it does not exist.
func (e *change) head() (Head, bool) {
	if e.rev == 0 {
		return Head{}, false
	}
	return Head{Rev: e.rev, Schema: e.schema, State: bytes.Clone(e.state)}, true
}

// layers are those of a shard, the newest first; none is nil.
type layers []*layer

// find returns the newest change of an entity, nil if there is none.
func (ys layers) find(key string) *change {
	for _, y := range ys {
		if e := y.entities[key]; e != nil {
			return e
		}
	}
	return nil
}

// outcome looks an outcome up. over says that none before the layers counts.
func (ys layers) outcome(key string, r RequestID, step uint32) (found result, over bool) {
	for _, y := range ys {
		e := y.entities[key]
		if e == nil {
			continue
		}
		if found, ok := y.outcomes[outcomeID{e, r, step}]; ok {
			return found, true
		}
		if e.forgot {
			return result{}, true
		}
	}
	return result{}, false
}

// records returns what the layers say of an entity's records, by part: nil for
// one that is deleted. wiped says that those on disk do not count.
func (ys layers) records(key string) (records []Record, wiped bool) {
	seen := map[string]bool{}
	for _, y := range ys {
		e := y.entities[key]
		if e == nil {
			continue
		}
		for part, value := range e.records {
			if !seen[part] {
				seen[part] = true
				records = append(records, Record{part, value})
			}
		}
		if e.wiped {
			wiped = true
			break
		}
	}
	slices.SortFunc(records, func(a, b Record) int { return bytes.Compare([]byte(a.Part), []byte(b.Part)) })
	return records, wiped
}
