package replica

import (
	"context"
	"errors"
	"fmt"
	"time"

	"ssod/cluster/replica/core"
	"ssod/persistence"
)

// turnAfter is how many ticks after a flush Pebble may write its memtable: by then the
// entries up to the flush are truncated, here and on the followers, which learn from a
// heartbeat that all replicas have them.
const turnAfter = 3

// flush is the flush goroutine.
func (e *Engine) flush() {
	for {
		select {
		case <-e.cfg.Log.FlushDue():
		case <-e.halt:
			return
		}
		if e.failed.Load() {
			return
		}
		switch err := e.flushOnce(); {
		case errors.Is(err, persistence.ErrNoSpace):
			continue // the store reports it and refuses changes
		case err != nil:
			e.fail(err)
			return
		}
		pause := time.NewTimer(turnAfter * e.cfg.Tick)
		select {
		case <-pause.C:
		case <-e.halt:
			pause.Stop()
			return
		}
		if err := e.cfg.Log.Turn(); err != nil {
			e.fail(err)
			return
		}
	}
}

func (e *Engine) flushOnce() error {
	began := time.Now()
	if err := e.flushed(e.cfg.Log.Flush); err != nil {
		return err
	}
	e.meters.flush.Observe(time.Since(began).Seconds())
	return nil
}

// flushed flushes some shards, all if none are given, and tells the core.
func (e *Engine) flushed(flush func(...core.ShardID) error, shards ...core.ShardID) error {
	end := e.disk.side.begin(e.disk.now())
	err := flush(shards...)
	end()
	if err != nil {
		return err
	}
	if len(shards) == 0 {
		for id := range e.views.shards {
			shards = append(shards, core.ShardID(id))
		}
	}
	e.inbox.input(func(c *core.Core) {
		for _, id := range shards {
			c.Flushed(id, e.cfg.Log.Flushed(id))
		}
	})
	return nil
}

// Truncate removes a shard's log up to an index as soon as its entries are applied here
// and flushed. It returns when that is decided; it is on disk soon after. Followers that
// lack some of the entries get two seconds, and then a snapshot.
func (e *Engine) Truncate(ctx context.Context, shard core.ShardID, upTo uint64) error {
	const patience = 20 // ticks
	pace := time.NewTicker(e.cfg.Tick)
	defer pace.Stop()
	for tried := 0; ; tried++ {
		if e.cfg.Log.Flushed(shard) < upTo {
			if err := e.flushed(e.cfg.Log.Flush, shard); err != nil {
				return fmt.Errorf("flush shard %d: %w", shard, err)
			}
		}
		decided, err := ask(ctx, e, func(c *core.Core) (bool, error) {
			c.Flushed(shard, e.cfg.Log.Flushed(shard))
			return c.Truncate(shard, upTo, tried < patience), nil
		})
		if decided || err != nil {
			return err
		}
		select {
		case <-pace.C:
		case <-ctx.Done():
			return ctx.Err()
		case <-e.stop:
			return errClosed
		}
	}
}
