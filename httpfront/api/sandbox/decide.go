package sandbox

import (
	"context"
	"errors"
	"strings"
	"time"

	"ssod/httpfront/mvpd"
)

// decider judges one resource.
type decider func(ctx context.Context, resource string) (mvpd.Verdict, error)

// errUnreadable is what a connector says that got nonsense.
var errUnreadable = errors.New("the sandbox's answer is not readable")

// Decide implements [mvpd.Connector].
func (c *Connector) Decide(ctx context.Context, q mvpd.Question) ([]mvpd.Decision, error) {
	v := viewerOf(q.Subject)
	decide := always(mvpd.UnknownIdentity)
	if v != nil {
		decide = v.decide
		if err := c.pause(ctx, v); err != nil {
			return nil, err
		}
	}
	decisions := make([]mvpd.Decision, len(q.Resources))
	for i, resource := range q.Resources {
		verdict, err := decide(ctx, resource)
		if err != nil {
			return nil, err
		}
		decisions[i] = reasons[verdict]
		decisions[i].Verdict = verdict
	}
	return decisions, nil
}

// reasons are what viewers are told of a deny.
var reasons = map[mvpd.Verdict]mvpd.Decision{
	mvpd.Denied:           {Message: "This channel is not in your package.", Upgrade: "Ada has a package with every channel."},
	mvpd.ParentalControls: {Message: "Your household does not allow this channel at this hour."},
	mvpd.HomeOnly:         {Message: "Your package is for your home."},
}

// pause takes the time that a slow viewer takes.
func (c *Connector) pause(ctx context.Context, v *viewer) error {
	if !v.slow {
		return nil
	}
	timer := time.NewTimer(c.delay)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func always(v mvpd.Verdict) decider {
	return func(context.Context, string) (mvpd.Verdict, error) { return v, nil }
}

func fails(err error) decider {
	return func(context.Context, string) (mvpd.Verdict, error) { return 0, err }
}

// never waits until the request is over.
func never(ctx context.Context, _ string) (mvpd.Verdict, error) {
	<-ctx.Done()
	return 0, ctx.Err()
}

func endsInOne(_ context.Context, resource string) (mvpd.Verdict, error) {
	if strings.HasSuffix(resource, "1") {
		return mvpd.Permit, nil
	}
	return mvpd.Denied, nil
}
