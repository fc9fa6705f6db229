package meta

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"

	"ssod/cluster"
)

// Decide is Update by the leader of the meta shard, whose handle is shard, in its term only:
// the change is not forwarded, does not wait for a leader and is not tried again. It is
// proposed only when a majority has just confirmed that this node leads. So a decision on
// facts of the moment takes effect at once, or not at all, or while this node may still lead.
//
// It fails with [ErrChanged] or another [cluster.ErrRefused] when nothing has happened, and
// with [cluster.ErrUnknown].
func (s *Store) Decide(ctx context.Context, shard cluster.Shard, table string, revision uint64, puts map[string][]byte, deletes []string) error {
	a := attempt{store: s, table: table, change: change{puts: puts, deletes: deletes, conditional: true, base: revision}}
	rand.Read(a.request[:]) // never fails since Go 1.24
	if err := a.once(ctx, shard); err != nil {
		return fmt.Errorf("change table %s: %w", table, err)
	}
	return nil
}

// once tries the change a single time.
func (a *attempt) once(ctx context.Context, shard cluster.Shard) error {
	select {
	case a.store.changing <- struct{}{}:
		defer func() { <-a.store.changing }()
	case <-ctx.Done():
		return a.fail(ctx.Err())
	}
	_, done, err := a.try(ctx, shard)
	switch {
	case done:
		return nil
	case errors.Is(err, ErrChanged):
		return err
	case err == nil && !a.unknown:
		return ErrChanged // it was another table by the time of the commit
	case err == nil:
		err = cluster.ErrLost
	}
	return a.fail(err)
}
