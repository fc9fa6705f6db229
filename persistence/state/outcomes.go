package state

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"iter"
	"slices"

	"ssod/persistence/data"
)

// outcomes are those of a layer, in order of arrival. Those of an entity form a chain from
// the newest on, and so do those with the same hash. The map has no pointers, so the
// garbage collector does not scan it.
type outcomes struct {
	all    []kept
	hashed map[uint64]int32
}

// kept is an outcome in a layer. Links of chains are indexes in all, counted from 1; 0 is
// none.
type kept struct {
	of      *change // nil: forgotten
	request data.RequestID
	step    uint32
	time    int64 // the shard time at which it was committed, in ms
	result  []byte

	nextOf, nextHashed int32
}

func newOutcomes(room int) outcomes {
	return outcomes{all: make([]kept, 0, room), hashed: make(map[uint64]int32, room)}
}

// put adds an outcome, or replaces it and returns the length of the old result.
func (os *outcomes) put(e *change, o *data.Outcome, now int64) (was int, replaced bool) {
	if old := os.find(e, o.Request, o.Step); old != nil {
		was = len(old.result)
		old.result, old.time = o.Result, now
		return was, true
	}
	h := hashOf(o.Request, o.Step)
	os.all = append(os.all, kept{
		of: e, request: o.Request, step: o.Step, time: now, result: o.Result, nextOf: e.outcomes, nextHashed: os.hashed[h],
	})
	e.outcomes = int32(len(os.all))
	os.hashed[h] = e.outcomes
	return 0, false
}

// find returns an entity's outcome, nil if there is none. It is valid until the next put.
func (os *outcomes) find(e *change, r data.RequestID, step uint32) *kept {
	for n := os.hashed[hashOf(r, step)]; n > 0; n = os.all[n-1].nextHashed {
		if o := &os.all[n-1]; o.of == e && o.step == step && o.request == r {
			return o
		}
	}
	return nil
}

// drop yields the outcomes of an entity and forgets them.
func (os *outcomes) drop(e *change) iter.Seq[*kept] {
	return func(yield func(*kept) bool) {
		for n := e.outcomes; n > 0; n = os.all[n-1].nextOf {
			yield(&os.all[n-1])
			os.all[n-1].of, os.all[n-1].result = nil, nil
		}
		e.outcomes = 0
	}
}

// reset dates outcomes that are later than a time at that time.
func (os *outcomes) reset(time int64) {
	for i := range os.all {
		os.all[i].time = min(os.all[i].time, time)
	}
}

// appendOf appends the outcomes of an entity that are after a time, in order of
// request and step.
func (os *outcomes) appendOf(to []*kept, e *change, after int64) []*kept {
	from := len(to)
	for n := e.outcomes; n > 0; n = os.all[n-1].nextOf {
		if o := &os.all[n-1]; o.time > after {
			to = append(to, o)
		}
	}
	slices.SortFunc(to[from:], func(a, b *kept) int {
		return cmp.Or(bytes.Compare(a.request[:], b.request[:]), cmp.Compare(a.step, b.step))
	})
	return to
}

// hashOf is a hash of a request and a step. Request ids are random.
func hashOf(r data.RequestID, step uint32) uint64 {
	return binary.BigEndian.Uint64(r[:]) ^ binary.BigEndian.Uint64(r[8:])*0x9e3779b97f4a7c15 + uint64(step)
}
