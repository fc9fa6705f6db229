package client

import (
	"context"
	"errors"
	"sync"
	"time"
)

// cache keeps a token and renews it before it expires. Of many callers that want
// it then one does, and the others wait for its answer.
type cache struct {
	mu      sync.Mutex
	token   string
	renewAt time.Time // zero: never
	expires time.Time // zero: never
	renewal *renewal  // in progress
}

// renewal is one attempt to get a token.
type renewal struct {
	done  chan struct{} // closed when the rest is set
	token string
	err   error
}

// margin is how long before its end a token is renewed: a tenth of its life, a
// minute at most.
func margin(life time.Duration) time.Duration { return min(life/10, time.Minute) }

// set keeps a token with its life from a moment on; a life of 0 does not end.
func (c *cache) set(token string, from time.Time, life time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.token, c.renewAt, c.expires = token, time.Time{}, time.Time{}
	if life > 0 {
		c.expires = from.Add(life)
		c.renewAt = c.expires.Add(-margin(life))
	}
}

// spoil makes the next caller renew a token that was refused, unless it is another
// one by now; false: it cannot be renewed.
func (c *cache) spoil(token string, now time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.token == token && !c.expires.IsZero() {
		c.expires, c.renewAt = now, now
	}
	return !c.expires.IsZero()
}

// renew gets a token and how long it lives.
type renew func(context.Context) (token string, life time.Duration, err error)

// get returns the token, renewed if it is time. Where that fails the old token is
// as good as it was.
func (c *cache) get(ctx context.Context, now func() time.Time, fetch renew) (string, error) {
	for {
		c.mu.Lock()
		began := now()
		if c.token != "" && (c.renewAt.IsZero() || began.Before(c.renewAt)) {
			defer c.mu.Unlock()
			return c.token, nil
		}
		old, good := c.token, c.token != "" && began.Before(c.expires)
		r, mine := c.renewal, false
		if r == nil {
			r, mine = &renewal{done: make(chan struct{})}, true
			c.renewal = r
		}
		c.mu.Unlock()
		if mine {
			c.run(ctx, r, began, fetch)
		}
		select {
		case <-r.done:
		case <-ctx.Done():
			return "", ctx.Err()
		}
		switch {
		case r.err == nil:
			return r.token, nil
		case good && !refused(r.err):
			return old, nil
		case mine || !errors.Is(r.err, context.Canceled) && !errors.Is(r.err, context.DeadlineExceeded):
			return "", r.err
		} // it was another caller's context that ended: try again with ours
	}
}

func (c *cache) run(ctx context.Context, r *renewal, began time.Time, fetch renew) {
	var life time.Duration
	r.token, life, r.err = fetch(ctx)
	if r.err == nil {
		c.set(r.token, began, life)
	}
	c.mu.Lock()
	c.renewal = nil
	c.mu.Unlock()
	close(r.done)
}

// refused reports whether the service has answered that there is no new token.
func refused(err error) bool {
	e, ok := errors.AsType[*Error](err)
	return ok && e.Status/100 == 4 && e.Status != 429
}
