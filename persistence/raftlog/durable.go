package raftlog

import (
	"sync"
	"sync/atomic"
)

// durable is the number of the last batch on disk, which can be waited for.
type durable struct {
	batch atomic.Uint64
	mu    sync.Mutex
	grown sync.Cond
	err   error // guarded by mu
}

func (d *durable) init() { d.grown.L = &d.mu }

// advance notes that all batches up to the given one are on disk.
func (d *durable) advance(batch uint64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if batch > d.batch.Load() {
		d.batch.Store(batch)
		d.grown.Broadcast()
	}
}

// fail ends all waiting, now and later.
func (d *durable) fail(err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.err = err
	d.grown.Broadcast()
}

// wait returns when the batch is on disk.
func (d *durable) wait(batch uint64) error {
	if d.batch.Load() >= batch {
		return nil
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	for d.batch.Load() < batch {
		if d.err != nil {
			return d.err
		}
		d.grown.Wait()
	}
	return nil
}
