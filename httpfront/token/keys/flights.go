package keys

import (
	"sync"
	"sync/atomic"
)

// flights are the groups for which a key is being made on this node, so that it is made
// once. The zero value has none.
type flights struct {
	mu      sync.Mutex
	of      map[groupID]*flight
	waiting atomic.Int64 // requests
}

// flight is one of them.
type flight struct {
	done chan struct{} // closed when the rest is set
	err  error
}

// join returns the flight of a group, and whether the caller has begun it and must
// land it.
func (f *flights) join(of groupID) (one *flight, first bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if one = f.of[of]; one != nil {
		return one, false
	}
	if f.of == nil {
		f.of = make(map[groupID]*flight)
	}
	one = &flight{done: make(chan struct{})}
	f.of[of] = one
	return one, true
}

// land ends the flight of a group.
func (f *flights) land(of groupID, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	one := f.of[of]
	delete(f.of, of)
	one.err = err
	close(one.done)
}
