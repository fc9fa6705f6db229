package node

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"ssod/httpfront/api/admin"
	"ssod/httpfront/config"
)

// readTimeout is how long a reload waits for the files: their file system may hang.
const readTimeout = 10 * time.Second

// reading reads files, which cannot be interrupted, with a time limit.
type reading struct{ stuck atomic.Bool }

type prepared struct {
	next  *config.Config
	adopt func() error
	err   error
}

// read calls prepare, one at a time, and abandons a call when ctx ends or [readTimeout] is
// over.
func (r *reading) read(ctx context.Context, prepare func() (*config.Config, func() error, error)) (*config.Config, func() error, error) {
	if !r.stuck.CompareAndSwap(false, true) {
		return nil, nil, fmt.Errorf("%w, nothing was changed: the files of an earlier reload are still being read", admin.ErrReload)
	}
	done := make(chan prepared, 1)
	go func() {
		var p prepared
		p.next, p.adopt, p.err = prepare()
		r.stuck.Store(false)
		done <- p
	}()
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	select {
	case p := <-done:
		return p.next, p.adopt, p.err
	case <-ctx.Done():
		return nil, nil, fmt.Errorf("%w, nothing was changed: the configuration and its files could not be read in %v", admin.ErrReload, readTimeout)
	}
}
