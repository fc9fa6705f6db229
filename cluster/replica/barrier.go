package replica

import (
	"context"
	"sync"

	"ssod/cluster"
	"ssod/cluster/replica/core"
)

// reading is a barrier that somebody wants to hear of. It is concluded when the turn in
// which it ended is over.
type reading struct {
	barrier core.Barrier
	engine  *Engine
	done    func(error)
	err     error
}

// readings are such as were concluded.
var readings = sync.Pool{New: func() any {
	r := &reading{}
	r.barrier.Done = func(err error) {
		r.err = err
		r.engine.concluded = append(r.engine.concluded, r)
	}
	return r
}}

// ReadBarrier is BeginBarrier for who waits.
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
		return ctx.Err() // done is answered later, and is not used again
	}
}

// BeginBarrier calls done once, with what [cluster.Shard.ReadBarrier] returns. Most often
// that is in the goroutine which brings what the others say, so done must not wait.
//
// It is free on a single voter: nobody else can have acknowledged anything, and what
// this node acknowledged is applied here. Another node can only lead after this one has
// applied that it is not alone any more, and then the handle is told first.
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

// conclude tells whom it concerns that barriers have ended. The caller does not have the
// turn.
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

// concludeBeside is conclude for who has other things to do.
func (e *Engine) concludeBeside(ended []*reading) {
	if len(ended) > 0 {
		e.beside.Go(func() { conclude(ended) })
	}
}
