package state

import (
	"sync"
	"sync/atomic"

	"ssod/persistence/data"
	"ssod/persistence/layout"
)

// shard is what the store keeps in memory of a shard: what was applied and is not
// in Pebble yet, and what it must know of what is. See
// persistence/DESIGN.md#overlay-and-flush.
type shard struct {
	// writing is held to change the shard's state in Pebble.
	writing sync.Mutex
	flushed atomic.Uint64 // the last entry in that state

	mu       sync.RWMutex
	active   *layer          // takes what is applied
	flushing *layer          // is being written; nil: none is
	done     layout.Progress // how far the shard is applied
	changed  bool            // something was applied since the last flush began
	blocks   []*block        // of outcomes, the oldest first, once loaded

	time   atomic.Int64  // shard time in ms
	posted atomic.Uint64 // counts entries with events, and replacements of the state
	loaded atomic.Bool   // blocks are known
	// unscanned: the state was replaced, and the filter of entities may lack some.
	unscanned atomic.Bool
}

// layers are those of the shard. The caller holds mu.
func (sh *shard) layers() layers {
	if sh.flushing == nil {
		return layers{sh.active}
	}
	return layers{sh.active, sh.flushing}
}

// bytes is the approximate memory of the layers. The caller holds mu.
func (sh *shard) bytes() int64 {
	n := sh.active.bytes
	if sh.flushing != nil {
		n += sh.flushing.bytes
	}
	return int64(n)
}

// reset dates outcomes that are later than the time to which the shard's is set back at
// that time; the flush does so for those being flushed. The caller holds mu.
func (sh *shard) reset(time int64) {
	sh.active.outcomes.reset(time)
	for _, k := range sh.blocks {
		k.time = min(k.time, time)
	}
}

// blocksAfter separates the blocks that are later than a time from the others.
func (sh *shard) blocksAfter(time int64) (later, others []*block) {
	sh.mu.RLock()
	defer sh.mu.RUnlock()
	for _, k := range sh.blocks {
		if k.time > time {
			later = append(later, k)
		} else {
			others = append(others, k)
		}
	}
	return later, others
}

// keeps reports whether outcomes of a time are within the window.
func (sh *shard) keeps(time int64) bool {
	return time > sh.time.Load()-data.OutcomeWindow.Milliseconds()
}
