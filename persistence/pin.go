package persistence

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/cockroachdb/pebble/v2"

	"ssod/persistence/backup"
	"ssod/persistence/layout"
)

// errUnpinned: the pinned state was released.
var errUnpinned = errors.New("the state is not pinned any more")

// Pinned is the state of shards at one moment. Until it is closed, which must be before
// the store is, overwritten data stays on disk and [Store.Scrub] waits.
type Pinned struct {
	s     *Store
	ended chan struct{}

	mu   sync.Mutex
	snap *pebble.Snapshot // guarded by mu; nil when it is closed
}

// Pin flushes shards and pins their applied state. Reads and writes go on.
func (s *Store) Pin(shards []ShardID) (*Pinned, error) {
	if err := s.readers.enter(); err != nil {
		return nil, err
	}
	defer s.readers.leave()
	if len(shards) > 0 {
		if err := s.shards.Flush(shards...); err != nil {
			return nil, fmt.Errorf("pin %d shards: %w", len(shards), err)
		}
	}
	p := &Pinned{s: s, ended: make(chan struct{}), snap: s.db.NewSnapshot()}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, errors.Join(ErrClosed, p.snap.Close())
	}
	if s.pins == nil {
		s.pins = make(map[*Pinned]bool)
	}
	s.pins[p] = true
	return p, nil
}

// Close releases the state.
func (p *Pinned) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.snap == nil {
		return nil
	}
	err := p.snap.Close()
	p.snap = nil
	p.s.mu.Lock()
	delete(p.s.pins, p)
	p.s.mu.Unlock()
	close(p.ended)
	return err
}

// awaitPins returns when all states that are pinned now have been released.
func (s *Store) awaitPins(ctx context.Context) error {
	s.mu.Lock()
	var pins []*Pinned
	for p := range s.pins {
		pins = append(pins, p)
	}
	s.mu.Unlock()
	for _, p := range pins {
		select {
		case <-p.ended:
		case <-ctx.Done():
			return fmt.Errorf("%w; a backup has the state from before", context.Cause(ctx))
		}
	}
	return nil
}

// pinnedRoom is how much of a shard one iterator reads: it keeps old files on disk, so it
// must not live for long.
const pinnedRoom = 256 << 10

// PinnedShard is a shard as the frames of a backup ([backup.Shard]). It is read by one
// goroutine.
type PinnedShard struct {
	p     *Pinned
	shard ShardID
	frame *backup.Shard
	ready bytes.Buffer
	next  []byte // key to go on from
	done  bool
}

// Shard returns a reader of what is pinned of a shard.
func (p *Pinned) Shard(shard ShardID) (*PinnedShard, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.snap == nil {
		return nil, errUnpinned
	}
	a, err := layout.ReadApplied(p.snap, shard)
	if err != nil {
		return nil, fmt.Errorf("read pinned shard %d: %w", shard, err)
	}
	r := &PinnedShard{p: p, shard: shard, next: layout.AppendShard(nil, shard, layout.SubEntity)}
	r.frame, err = backup.NewShard(&r.ready, &backup.Begin{Shard: uint32(shard), Index: a.Index, Term: a.Term, TimeMs: int64(a.Time)})
	return r, err
}

func (r *PinnedShard) Read(b []byte) (int, error) {
	if r.ready.Len() == 0 {
		if r.done {
			return 0, io.EOF
		}
		if err := r.fill(); err != nil {
			return 0, fmt.Errorf("read pinned shard %d: %w", r.shard, err)
		}
	}
	return r.ready.Read(b)
}

func (r *PinnedShard) fill() error {
	r.p.mu.Lock()
	defer r.p.mu.Unlock()
	if r.p.snap == nil {
		return errUnpinned
	}
	it, err := r.p.snap.NewIter(&pebble.IterOptions{LowerBound: r.next, UpperBound: layout.AppendShard(nil, r.shard, layout.SubEntity+1)})
	if err != nil {
		return layout.Damaged(err)
	}
	defer it.Close()
	ok := it.First()
	for ; ok && r.ready.Len() < pinnedRoom; ok = it.Next() {
		if err := r.add(it); err != nil {
			return err
		}
	}
	if err := it.Error(); err != nil {
		return layout.Damaged(err)
	}
	if ok {
		r.next = append(r.next[:0], it.Key()...)
		return nil
	}
	r.done = true
	return r.frame.End()
}

// add adds the head or the record at the iterator.
func (r *PinnedShard) add(it *pebble.Iterator) error {
	value, err := it.ValueAndErr()
	if err != nil {
		return layout.Damaged(err)
	}
	key, part, err := layout.SplitEntity(it.Key()[layout.ShardKeyLen:])
	if err != nil {
		return err
	}
	if len(part) > 0 {
		return r.frame.Record(&backup.Record{Part: part, Value: value})
	}
	identity, h, _, err := layout.ParseHead(value)
	if err != nil {
		return err
	}
	return r.frame.Entity(&backup.Entity{Kind: string(key.Kind), Identity: identity, Rev: h.Rev, Schema: h.Schema, State: h.State})
}
