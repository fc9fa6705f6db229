package state

import (
	"bytes"
	"slices"

	"ssod/persistence/data"
	"ssod/persistence/layout"
)

// layer is what was applied to a shard since a moment: the newest state of every changed
// entity, and the outcomes. The shard's lock guards it.
//
// Nothing is copied. So a state may keep its log entry in memory, at most what was logged
// since the last flush.
type layer struct {
	entities map[string]*change // by what a head key has behind the shard
	outcomes outcomes
	events   events
	// forgotten are the entities whose outcomes and events of older layers and of the disk
	// are gone; nil: none.
	forgotten map[string]bool
	bytes     int // approximate memory
}

// change is the newest state of an entity.
type change struct {
	key      string // of the head
	rev      uint64 // 0: the entity does not exist
	schema   uint32
	outcomes int32 // the newest of them, see [outcomes]
	identity string
	state    []byte
	parts    bool              // it has, or had, records
	wiped    bool              // the records of older layers and of the disk are gone
	forgot   bool              // and so are their outcomes
	records  map[string][]byte // nil: deleted
}

// The memory of a change, a record and an outcome without their bytes.
const (
	changeOverhead  = 224
	recordOverhead  = 96
	outcomeOverhead = 112
)

// newLayer makes a layer with room for as much as the one before it had.
func newLayer(before *layer) *layer {
	entities, outcomes := 0, 0
	if before != nil {
		entities, outcomes = len(before.entities), len(before.outcomes.all)
	}
	return &layer{entities: make(map[string]*change, entities), outcomes: newOutcomes(outcomes)}
}

// apply applies a commit at a shard time. key is that of the head. stored is the revision
// that the commit rests on, used if the layer does not have the entity.
func (y *layer) apply(key []byte, c *data.Commit, stored revision, now int64) {
	e, ok := y.entities[string(key[layout.ShardKeyLen:])]
	if !ok {
		e = &change{key: string(key), identity: c.Entity.Identity, parts: stored.parts}
		y.entities[e.name()] = e
		y.bytes += changeOverhead + len(key) + len(e.identity)
	}
	if c.Forget {
		y.forget(e)
	}
	if c.Remove {
		y.remove(e)
	} else {
		y.bytes += len(c.State) - len(e.state)
		e.rev, e.schema, e.state = c.BaseRev+1, c.Schema, c.State
		y.put(e, c)
	}
	for i := range c.Outcomes {
		o := &c.Outcomes[i]
		if was, ok := y.outcomes.put(e, o, now); ok {
			y.bytes += len(o.Result) - was
		} else {
			y.bytes += outcomeOverhead + len(o.Result)
		}
	}
}

// put changes records.
func (y *layer) put(e *change, c *data.Commit) {
	if len(c.Puts)+len(c.Deletes) == 0 {
		return
	}
	if e.records == nil {
		e.records = map[string][]byte{}
	}
	for i := range c.Puts {
		y.record(e, c.Puts[i].Part, presence(c.Puts[i].Value))
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
	y.bytes -= len(e.state)
	e.wiped = e.wiped || e.parts
	e.rev, e.schema, e.state, e.records, e.parts = 0, 0, nil, nil, false
}

// presence is a record's value, never nil.
func presence(value []byte) []byte {
	if value == nil {
		return []byte{}
	}
	return value
}

// forget drops the outcomes of an entity: those of this layer, and the earlier ones when
// it is read or flushed.
func (y *layer) forget(e *change) {
	e.forgot = true
	if y.forgotten == nil {
		y.forgotten = map[string]bool{}
	}
	y.forgotten[e.name()] = true
	for o := range y.outcomes.drop(e) {
		y.bytes -= outcomeOverhead + len(o.result)
	}
	y.bytes -= y.events.forget(e.name())
}

// name is what the key has behind the shard.
func (e *change) name() string { return e.key[layout.ShardKeyLen:] }

// revision is what a change leaves for the next one.
func (e *change) revision() revision { return revision{rev: e.rev, parts: e.parts} }

// head returns a copy of the entity's head; false when it does not exist.
func (e *change) head() (data.Head, bool) {
	if e.rev == 0 {
		return data.Head{}, false
	}
	return data.Head{Rev: e.rev, Schema: e.schema, State: append([]byte{}, e.state...)}, true
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

// outcome looks an outcome up; nil: the layers do not have it. over says that those on
// disk do not count.
func (ys layers) outcome(key string, r data.RequestID, step uint32) (found *kept, over bool) {
	for _, y := range ys {
		e := y.entities[key]
		if e == nil {
			continue
		}
		if found := y.outcomes.find(e, r, step); found != nil || e.forgot {
			return found, true
		}
	}
	return nil, false
}

// records returns the layers' records of an entity, by part: nil for a deleted one. wiped
// says that those on disk do not count.
func (ys layers) records(key string) (records []data.Record, wiped bool) {
	seen := map[string]bool{}
	for _, y := range ys {
		e := y.entities[key]
		if e == nil {
			continue
		}
		for part, value := range e.records {
			if !seen[part] {
				seen[part] = true
				records = append(records, data.Record{Part: part, Value: value})
			}
		}
		if e.wiped {
			wiped = true
			break
		}
	}
	slices.SortFunc(records, func(a, b data.Record) int { return bytes.Compare([]byte(a.Part), []byte(b.Part)) })
	return records, wiped
}
