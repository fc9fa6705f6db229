package linkdirectory

import "time"

// memoryLife is how long the answer to a request is remembered: the request is repeated
// or settled within its deadline.
const memoryLife = 15 * time.Second

// memory remembers the latest entries by a key, within bounds on their number and age.
type memory[K comparable, V any] struct {
	limit int
	ended func(V) // is called with what is forgotten; may be nil
	byKey map[K]V
	queue []mark[K] // from first on
	first int
}

// mark says when a key was remembered.
type mark[K comparable] struct {
	key K
	at  int64 // ms
}

func newMemory[K comparable, V any](limit int) *memory[K, V] {
	return &memory[K, V]{limit: limit, byKey: make(map[K]V)}
}

func (m *memory[K, V]) find(k K) (V, bool) {
	v, ok := m.byKey[k]
	return v, ok
}

// add remembers v. Times must not go back from one call to the next.
func (m *memory[K, V]) add(k K, v V, at int64) {
	m.forget(at)
	m.byKey[k] = v
	m.queue = append(m.queue, mark[K]{k, at})
}

// forget drops what is too old at the time ms, and the oldest beyond the limit.
func (m *memory[K, V]) forget(ms int64) {
	before := ms - memoryLife.Milliseconds()
	for m.first < len(m.queue) && (m.queue[m.first].at < before || len(m.byKey) >= m.limit) {
		k := m.queue[m.first].key
		if v, ok := m.byKey[k]; ok && m.ended != nil {
			m.ended(v)
		}
		delete(m.byKey, k)
		m.first++
	}
	if m.first > len(m.queue)/2 {
		m.queue = append(m.queue[:0], m.queue[m.first:]...)
		m.first = 0
	}
}
