package replica

import (
	"context"
	"sync"

	"ssod/cluster"
	"ssod/cluster/replica/core"
)

// reading is a barrier that has a caller. It is concluded after the turn in which it
// ended.
type reading struct {
	barrier core.Barrier
	engine  *Engine
	done    func(error)
	err     error
}

var readings = sync.Pool{New: func() any {
	r := &reading{}
	r.barrier.Done = func(err error) {
		r.err = err
		r.engine.concluded = append(r.engine.concluded, r)
	}
	return r
}}

// ReadBarrier implements [cluster.Shard].
func (h *handle) ReadBarrier(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	done := answers.Get().(chan error)
	h.BeginBarrier(func(err error) { done <- err })
	select {
	case err := <-done:
		answers.Put(done)
		return err
	case <-ctx.Done():
		return ctx.Err() // done is answered later and not reused
	}
}

// BeginBarrier calls done once, with what [cluster.Shard.ReadBarrier] returns, mostly in
// the goroutine that received an answer, so done must not wait.
//
// It is free on a single voter: everything acknowledged is applied here. Another node can
// lead only after this one has applied that there are more voters, and before that the
// handle learns of it.
func (h *handle) BeginBarrier(done func(error)) {
	switch {
	case h.over():
		done(cluster.ErrLost)
		return
	case h.sole():
		done(nil)
		return
	}
	r := readings.Get().(*reading)
	r.engine, r.done = h.e, done
	r.barrier.Shard, r.barrier.Term = h.shard, h.term
	if !h.e.inbox.barrier(&r.barrier) {
		done(cluster.ErrLost)
	}
}

// conclude answers the callers of barriers. It is called without the turn.
func conclude(ended []*reading) {
	for _, r := range ended {
		done, err := r.done, r.err
		r.engine, r.done, r.err = nil, nil, nil
		readings.Put(r)
		if err != nil {
			err = cluster.ErrLost
		}
		done(err)
	}
}

// concludeLater is conclude in another goroutine.
func (e *Engine) concludeLater(ended []*reading) {
	if len(ended) > 0 {
		e.others.Go(func() { conclude(ended) })
	}
}
