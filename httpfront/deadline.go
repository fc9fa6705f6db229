package httpfront

import (
	"context"
	"sync/atomic"
	"time"
)

const (
	// requestTime is how long a request may take;
	// httpfront/docs/limits.md#deadlines-and-waits.
	requestTime = 10 * time.Second
	// slotTime is how much of it a request may lose to share a context.
	slotTime = 50 * time.Millisecond
)

// deadlines makes the contexts of requests. Those that begin within one slot
// share a context, so a timer is paid for twenty times a second and not for
// every request.
type deadlines struct {
	base    context.Context
	current atomic.Pointer[slot]
}

type slot struct {
	context.Context
	cancel context.CancelFunc // called by the end of base, or by the deadline
	until  time.Time
}

func newDeadlines(base context.Context) *deadlines { return &deadlines{base: base} }

// at returns the context of a request that begins now.
func (d *deadlines) at(now time.Time) context.Context {
	if s := d.current.Load(); s != nil && now.Before(s.until) && now.After(s.until.Add(-2*slotTime)) {
		return s.Context
	}
	s := &slot{until: now.Add(slotTime)}
	s.Context, s.cancel = context.WithDeadline(d.base, now.Add(requestTime))
	d.current.Store(s)
	return s.Context
}
