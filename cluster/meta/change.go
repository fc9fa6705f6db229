package meta

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"

	"ssod/cluster"
)

// Change puts and deletes keys of one table, all or nothing. The change is
// durable and visible when Change returns nil. Otherwise it fails with
// [cluster.ErrRefused], and nothing has changed, or with [cluster.ErrUnknown].
func (s *Store) Change(ctx context.Context, table string, puts map[string][]byte, deletes []string) error {
	select {
	case s.changing <- struct{}{}:
	case <-ctx.Done():
		return fmt.Errorf("change table %s: %w: %w", table, cluster.ErrRefused, ctx.Err())
	}
	a := attempt{store: s, table: table, change: change{puts, deletes}}
	rand.Read(a.request[:]) // never fails since Go 1.24
	err := a.run(ctx)
	<-s.changing
	if err != nil {
		return fmt.Errorf("change table %s: %w", table, err)
	}
	s.signal(table)
	return nil
}

// attempt carries one change through refusals, rejections and changes of
// leadership.
type attempt struct {
	store   *Store
	table   string
	change  change
	request cluster.RequestID
	unknown bool // a commit was sent of which nothing was heard
}

// run repeats the change until it is made or no more can be done.
func (a *attempt) run(ctx context.Context) error {
	for {
		shard, err := lead(ctx, a.store.shards)
		if err != nil {
			return a.fail(err)
		}
		done, err := a.try(ctx, shard)
		switch {
		case done:
			return nil
		case err == nil, isLost(shard): // decide again on what is stored now
		default:
			return a.fail(err)
		}
	}
}

// try makes the change on the newest version of the table. Neither done nor an
// error means that it should be tried again.
func (a *attempt) try(ctx context.Context, shard cluster.Shard) (done bool, err error) {
	if err := shard.ReadBarrier(ctx); err != nil {
		return false, err
	}
	t, err := refresh(shard, a.table, a.store.table(a.table))
	if err != nil {
		return false, err
	}
	if _, done, err = shard.Outcome(entity(a.table), a.request, 0); err != nil {
		return false, err
	}
	if a.unknown = false; !done { // after the barrier an earlier commit is there or never will be
		if err := shard.Commit(ctx, t.commit(a.table, a.change, a.request)); err != nil {
			return false, a.commitFailed(ctx, err)
		}
		t = t.changed(a.change)
	}
	a.store.replace(a.table, t)
	return true, nil
}

// commitFailed returns nil when the change should be tried again.
func (a *attempt) commitFailed(ctx context.Context, err error) error {
	switch {
	case errors.Is(err, cluster.ErrRejected):
		return nil
	case errors.Is(err, cluster.ErrUnknown):
		a.unknown = true
		return ctx.Err()
	}
	return err
}

// fail makes err say whether anything may have changed.
func (a *attempt) fail(err error) error {
	if a.unknown {
		return fmt.Errorf("%w: %v", cluster.ErrUnknown, err)
	}
	if errors.Is(err, cluster.ErrRefused) {
		return err
	}
	return fmt.Errorf("%w: %w", cluster.ErrRefused, err)
}

func isLost(shard cluster.Shard) bool {
	select {
	case <-shard.Lost():
		return true
	default:
		return false
	}
}

// lead waits until this node leads the meta shard.
func lead(ctx context.Context, shards cluster.Shards) (cluster.Shard, error) {
	changed := make(chan struct{}, 1)
	stop := shards.Watch(func(id cluster.ShardID) {
		if id == cluster.MetaShard {
			select {
			case changed <- struct{}{}:
			default:
			}
		}
	})
	defer stop()
	for {
		if shard, ok := shards.Lead(cluster.MetaShard); ok {
			return shard, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, fmt.Errorf("wait for the meta shard: %w", ctx.Err())
		}
	}
}
