package keys

import (
	"context"
	"errors"
	"fmt"
	"time"

	"ssod/httpfront/config"
)

// demandTimeout bounds the making of a key that requests wait for. It goes on when they
// have given up: the next one finds the key.
const demandTimeout = 15 * time.Second

// AwaitService waits until the realm can sign service tokens; see [Ring.AwaitMedia].
func (r *Ring) AwaitService(ctx context.Context, realm *config.Realm) error {
	return r.await(ctx, groupID{Service, realm.ID})
}

// AwaitMedia waits until the realm can sign media tokens. A missing key is made at once,
// before others, by one of the callers. It fails with [ErrNotYet] when ctx ends first.
func (r *Ring) AwaitMedia(ctx context.Context, realm string) error {
	return r.await(ctx, groupID{Media, realm})
}

func (r *Ring) await(ctx context.Context, of groupID) error {
	for {
		s := r.snapshot()
		if s.groups[of].newest() != nil {
			return nil
		}
		want, configured := s.wants.find(of)
		if !configured {
			return fmt.Errorf("key of %s: %w", of, errNoKey)
		}
		if err := r.wait(ctx, r.hasten(want)); err != nil {
			return fmt.Errorf("key of %s: %w: %w", of, ErrNotYet, err)
		}
	}
}

// wait waits for a key that is being made.
func (r *Ring) wait(ctx context.Context, f *flight) error {
	r.flights.waiting.Add(1)
	defer r.flights.waiting.Add(-1)
	select {
	case <-f.done:
		return f.err
	case <-ctx.Done():
		// The deadline says nothing of whether anything was changed: nothing was.
		return errors.New(context.Cause(ctx).Error())
	}
}

// hasten has a missing key made now, unless it is being made already.
func (r *Ring) hasten(want wanted) *flight {
	f, first := r.flights.join(want.groupID)
	if first {
		r.work.Go(func() { r.flights.land(want.groupID, r.makeNow(want)) })
	}
	return f
}

// makeNow makes a missing key and publishes it, unless it was published before the flight
// began.
func (r *Ring) makeNow(want wanted) error {
	if r.snapshot().groups[want.groupID].newest() != nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(r.life, demandTimeout)
	defer cancel()
	m, err := r.urgent.make(ctx, want)
	if err != nil {
		return err
	}
	return r.publish(ctx, []made{{want, m}})
}
