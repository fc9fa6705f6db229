package node

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"ssod/cluster"
	"ssod/cluster/replica"
	"ssod/httpfront/token/keys"
	"ssod/persistence"
)

const (
	// restoring is how many commits are in flight: they share syncs.
	restoring = 512
	// restoredBytes is how much of an entity is in one commit.
	restoredBytes = 512 << 10
	// roomPause is between two attempts while too much waits to be flushed.
	roomPause = 5 * time.Millisecond
)

// writer commits what is restored, as any change is committed.
type writer struct {
	ctx      context.Context
	engine   *replica.Engine
	slots    *cluster.Slots
	commits  *errgroup.Group
	entities uint64

	next  cluster.Commit // of the entity whose records are being read; no kind: none
	size  int
	shard cluster.ShardID

	// The tables, which are small, are written last.
	tables map[string]map[string][]byte
	keys   map[string]*keys.Portable
}

func newWriter(ctx context.Context, engine *replica.Engine, slots *cluster.Slots) *writer {
	w := &writer{engine: engine, slots: slots, tables: make(map[string]map[string][]byte), keys: make(map[string]*keys.Portable)}
	w.commits, w.ctx = errgroup.WithContext(ctx)
	w.commits.SetLimit(restoring)
	return w
}

func (w *writer) Entity(e cluster.Entity, h cluster.Head) error {
	if err := w.flush(); err != nil {
		return err
	}
	w.entities++
	w.shard = w.slots.Of(e)
	w.next = cluster.Commit{Entity: e, Schema: h.Schema, State: h.State}
	w.size = len(h.State)
	return nil
}

// Record implements [contents.Taker]. An entity with more records than fit into a commit
// has several, one after another.
func (w *writer) Record(r cluster.Record) error {
	w.next.Puts = append(w.next.Puts, r)
	if w.size += len(r.Part) + len(r.Value); w.size < restoredBytes {
		return nil
	}
	if err := w.commit(w.shard, w.next); err != nil {
		return err
	}
	w.next.BaseRev++
	w.next.Puts, w.size = nil, len(w.next.State)
	return nil
}

func (w *writer) Table(table, id string, value []byte) error {
	if w.tables[table] == nil {
		w.tables[table] = make(map[string][]byte)
	}
	w.tables[table][id] = value
	return nil
}

func (w *writer) Key(id string, k *keys.Portable) error {
	w.keys[id] = k
	return nil
}

// flush begins to commit the entity that was read.
func (w *writer) flush() error {
	c, shard := w.next, w.shard
	if w.next = (cluster.Commit{}); c.Entity.Kind == "" {
		return nil
	}
	w.commits.Go(func() error { return w.commit(shard, c) })
	return w.ctx.Err()
}

// end waits until everything is committed.
func (w *writer) end() error {
	unfinished := w.flush()
	return cmp.Or(w.commits.Wait(), unfinished)
}

// commit commits a change, when there is room for it.
func (w *writer) commit(id cluster.ShardID, c cluster.Commit) error {
	for {
		shard, leads := w.engine.Lead(id)
		if !leads {
			return fmt.Errorf("shard %d: %w", id, cluster.ErrLost)
		}
		err := shard.Commit(w.ctx, c)
		if err == nil || !errors.Is(err, cluster.ErrRefused) || errors.Is(err, persistence.ErrNoSpace) || w.ctx.Err() != nil {
			return err
		}
		pause := time.NewTimer(roomPause)
		select {
		case <-pause.C:
		case <-w.ctx.Done():
			pause.Stop()
			return w.ctx.Err()
		}
	}
}
