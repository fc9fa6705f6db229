package admin

import (
	"context"
	"time"
)

// acceptedTime is the answer of POST /admin/v1/clock/accept.
type acceptedTime struct {
	Seconds int64 `json:"acceptedSeconds"` // what was not confirmed on the node
}

// acceptClock serves POST /admin/v1/clock/accept.
func acceptClock(ctx context.Context, c *call) (any, error) {
	if _, err := c.query(); err != nil {
		return nil, err
	}
	ahead, err := c.Clock.Accept(ctx)
	if err != nil {
		return nil, err
	}
	c.note("leap", ahead.Round(time.Second).String())
	return acceptedTime{int64(ahead.Seconds())}, nil
}

// resetClock serves POST /admin/v1/clock/reset.
func resetClock(ctx context.Context, c *call) (any, error) {
	if _, err := c.query(); err != nil {
		return nil, err
	}
	return nil, c.Clock.Reset(ctx)
}
