package meta

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"

	"ssod/cluster"
)

// ErrChanged says that the change was decided on another revision of the table. Nothing has
// changed. It is a [cluster.ErrRejected].
var ErrChanged = fmt.Errorf("the table was changed meanwhile: %w", cluster.ErrRejected)

// Change puts and deletes keys of one table, all or nothing. The change is
// durable and visible when Change returns nil. Otherwise it fails with
// [cluster.ErrRefused], and nothing has changed, or with [cluster.ErrUnknown].
func (s *Store) Change(ctx context.Context, table string, puts map[string][]byte, deletes []string) error {
	return s.start(ctx, table, change{puts: puts, deletes: deletes})
}

// Update is Change of a table that has a certain revision, 0 if it does not exist. It fails
// with [ErrChanged] when it has another, which this node has by then, so that the caller can
// decide again.
func (s *Store) Update(ctx context.Context, table string, revision uint64, puts map[string][]byte, deletes []string) error {
	return s.start(ctx, table, change{puts: puts, deletes: deletes, conditional: true, base: revision})
}

func (s *Store) start(ctx context.Context, table string, ch change) error {
	a := attempt{store: s, table: table, change: ch}
	rand.Read(a.request[:]) // never fails since Go 1.24
	revision, err := a.anywhere(ctx)
	switch {
	case s.options.Reader == nil:
	case err == nil:
		err = unknownIf(s.Await(ctx, table, revision))
	case errors.Is(err, ErrChanged):
		err = errors.Join(err, s.Await(ctx, table, ch.base+1))
	}
	if err != nil {
		return fmt.Errorf("change table %s: %w", table, err)
	}
	return nil
}

// attempt carries one change through refusals, rejections and changes of
// leadership.
type attempt struct {
	store   *Store
	table   string
	change  change
	request cluster.RequestID
	unknown bool  // a commit was sent and its outcome is unknown
	because error // why
}

// anywhere makes the change here or on the leader of the meta shard. It returns a revision
// that contains it.
func (a *attempt) anywhere(ctx context.Context) (uint64, error) {
	if a.store.options.Forward == nil {
		return a.here(ctx)
	}
	for refusals := 0; ; {
		owner, here, err := locate(ctx, a.store.shards)
		if err != nil {
			return 0, a.fail(err)
		}
		var revision uint64
		if here {
			revision, err = a.here(ctx)
		} else {
			revision, err = a.forward(ctx, owner)
		}
		refused := errors.Is(err, cluster.ErrRefused) || errors.Is(err, cluster.ErrUnknown)
		switch {
		case errors.Is(err, errAgain):
		case refused && refusals < maxRefusals && ctx.Err() == nil:
			refusals++
		default:
			return revision, err
		}
		if err := a.pause(ctx); err != nil {
			return 0, err
		}
	}
}

// maxRefusals is how often a refused change is tried again: a leader refuses while it hands
// its lead over.
const maxRefusals = 20

// errAgain says that a change should be tried again.
var errAgain = errors.New("try again")

// here makes the change on this node.
func (a *attempt) here(ctx context.Context) (uint64, error) {
	s := a.store
	select {
	case s.changing <- struct{}{}:
	case <-ctx.Done():
		return 0, a.fail(ctx.Err())
	}
	revision, err := a.run(ctx)
	<-s.changing
	if err == nil && s.options.Spread != nil {
		err = unknownIf(s.options.Spread(ctx, a.table, revision))
	}
	return revision, err
}

// run repeats the change until it is made or no more can be done.
func (a *attempt) run(ctx context.Context) (uint64, error) {
	for {
		shard, ok := a.store.shards.Lead(cluster.MetaShard)
		if !ok {
			if a.store.options.Forward != nil {
				return 0, errAgain // another node leads by now
			}
			var err error
			if shard, err = lead(ctx, a.store.shards); err != nil {
				return 0, a.fail(err)
			}
		}
		revision, done, err := a.try(ctx, shard)
		switch {
		case done:
			return revision, nil
		case errors.Is(err, ErrChanged):
			return 0, err
		case err == nil, isLost(shard) && ctx.Err() == nil: // decide again on what is stored now
		default:
			return 0, a.fail(err)
		}
	}
}

// try makes the change on the newest version of the table. Neither done nor an
// error means that it should be tried again.
func (a *attempt) try(ctx context.Context, shard cluster.Shard) (revision uint64, done bool, err error) {
	if err := shard.ReadBarrier(ctx); err != nil {
		return 0, false, err
	}
	t, err := refresh(shard, a.table, a.store.table(a.table))
	if err != nil {
		return 0, false, err
	}
	if _, done, err = shard.Outcome(entity(a.table), a.request, 0); err != nil {
		return 0, false, err
	}
	a.unknown = false // after the barrier an earlier commit is there or never will be
	if !done {
		if a.change.conditional && a.change.base != t.rev {
			return 0, false, ErrChanged
		}
		if err := shard.Commit(ctx, t.commit(a.table, a.change, a.request)); err != nil {
			return 0, false, a.commitFailed(ctx, err)
		}
		t = t.changed(a.change)
	}
	a.store.replace(a.table, t)
	return t.rev, true, nil
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

// fail adds to err whether anything may have changed.
func (a *attempt) fail(err error) error {
	if a.unknown {
		return unknownIf(err)
	}
	if errors.Is(err, cluster.ErrRefused) {
		return err
	}
	return fmt.Errorf("%w: %w", cluster.ErrRefused, err)
}

func unknownIf(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%w: %v", cluster.ErrUnknown, err)
}

func isLost(shard cluster.Shard) bool {
	select {
	case <-shard.Lost():
		return true
	default:
		return false
	}
}
