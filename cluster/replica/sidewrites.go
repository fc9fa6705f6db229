package replica

import "sync"

// sideWrites are writes that do not go through the queues, and when they began.
type sideWrites struct {
	mu    sync.Mutex
	begun map[int]uint64
	next  int
}

// begin notes that one begins; end must be called when it is over.
func (b *sideWrites) begin(now uint64) (end func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.begun == nil {
		b.begun = map[int]uint64{}
	}
	id := b.next
	b.next++
	b.begun[id] = now
	return func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		delete(b.begun, id)
	}
}

// age is that of the oldest; 0 when there is none.
func (b *sideWrites) age(now uint64) (age uint64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, at := range b.begun {
		age = max(age, now-min(at, now))
	}
	return age
}
