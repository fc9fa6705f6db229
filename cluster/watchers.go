package cluster

import (
	"slices"
	"sync"
)

// Watchers are functions that are called after changes. The zero value has none. It is
// safe for concurrent use.
type Watchers[T any] struct {
	mu  sync.Mutex
	all []*func(T)
}

// Add has f called from now on, until stop is called.
func (w *Watchers[T]) Add(f func(T)) (stop func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.all = append(w.all, &f)
	return func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.all = slices.DeleteFunc(slices.Clone(w.all), func(o *func(T)) bool { return o == &f })
	}
}

// Call calls them all with v.
func (w *Watchers[T]) Call(v T) {
	w.mu.Lock()
	all := w.all
	w.mu.Unlock()
	for _, f := range all {
		(*f)(v)
	}
}
