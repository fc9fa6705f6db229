package node

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"ssod/httpfront/api/admin"
	"ssod/httpfront/config"
)

// reloads runs reloads one after another.
type reloads struct {
	mu      sync.Mutex
	next    *turn // nil: nobody waits
	running bool
	closed  bool
	ctx     context.Context // ends with the node
	cancel  context.CancelFunc
	runner  sync.WaitGroup
}

// turn is one reload and its result, for all its callers.
type turn struct {
	done chan struct{} // closed when the rest is set
	cfg  *config.Config
	err  error
}

func newReloads() *reloads {
	r := &reloads{}
	r.ctx, r.cancel = context.WithCancel(context.Background())
	return r
}

var errStopping = errors.New("the node is stopping")

// join returns the next reload to begin.
func (r *reloads) join(reload func(context.Context) (*config.Config, error)) (*turn, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return nil, fmt.Errorf("%w: %w", admin.ErrReload, errStopping)
	}
	if r.next == nil {
		r.next = &turn{done: make(chan struct{})}
	}
	t := r.next
	if !r.running {
		r.running = true
		r.runner.Go(func() { r.run(reload) })
	}
	return t, nil
}

// run reloads while calls wait.
func (r *reloads) run(reload func(context.Context) (*config.Config, error)) {
	for t := r.take(); t != nil; t = r.take() {
		t.cfg, t.err = reload(r.ctx)
		close(t.done)
	}
}

func (r *reloads) take() *turn {
	r.mu.Lock()
	defer r.mu.Unlock()
	t := r.next
	r.next, r.running = nil, t != nil
	return t
}

// close ends the running reload and refuses later ones.
func (r *reloads) close() error {
	r.mu.Lock()
	r.closed = true
	r.mu.Unlock()
	r.cancel()
	r.runner.Wait()
	return nil
}
