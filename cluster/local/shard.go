package local

import (
	"context"
	"fmt"
	"time"

	"ssod/cluster"
)

// shard is the handle on one shard. It implements [cluster.Shard].
type shard struct {
	id  cluster.ShardID
	all *Shards
}

func (s *shard) ID() cluster.ShardID   { return s.id }
func (s *shard) Term() uint64          { return term }
func (s *shard) Lost() <-chan struct{} { return s.all.lost }

// Commit queues c and waits until the round that carries it is on disk.
func (s *shard) Commit(ctx context.Context, c cluster.Commit) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("%w: %w", cluster.ErrRefused, err)
	}
	p := newPending(s.id, c)
	if err := s.all.queue.add(p); err != nil {
		p.free()
		return err
	}
	select {
	case err := <-p.done:
		p.free()
		return err
	case <-ctx.Done():
		return p.abandon(ctx.Err())
	}
}

// ReadBarrier only has to know that this node still runs: nobody else can have
// acknowledged anything.
func (s *shard) ReadBarrier(ctx context.Context) error {
	if !s.all.leads() {
		return cluster.ErrLost
	}
	return ctx.Err()
}

// TryBarrier is ReadBarrier for those who cannot wait: nobody has to.
func (s *shard) TryBarrier() bool { return s.all.leads() }

func (s *shard) Now() time.Time {
	now, shard := s.all.config.Clock(), s.all.store.Time(s.id)
	if now.Before(shard) {
		return shard
	}
	return now
}

func (s *shard) Head(e cluster.Entity) (cluster.Head, bool, error) {
	return s.all.store.Head(s.id, e)
}

func (s *shard) Records(e cluster.Entity, f func(part, value []byte) bool) error {
	return s.all.store.Records(s.id, e, f)
}

func (s *shard) Outcome(e cluster.Entity, r cluster.RequestID, step uint32) ([]byte, bool, error) {
	return s.all.store.Outcome(s.id, e, r, step)
}

func (s *shard) Entities(kind, after string, f func(identity string, h cluster.Head) bool) error {
	return s.all.store.Entities(s.id, kind, after, f)
}
