package main

import (
	"context"
	"encoding/binary"
	"fmt"
	"time"

	"ssod/cluster"
)

// entities is how many a proposer commits to in turn.
const entities = 64

// shard is what callers ask: one of the engine, or of the floor.
type shard interface {
	Commit(ctx context.Context, c cluster.Commit) error
	ReadBarrier(ctx context.Context) error
	Head(e cluster.Entity) (cluster.Head, bool, error)
}

// lead is a handle on a shard that this node leads.
func (n *node) lead(s cluster.ShardID) (shard, bool) {
	if n.floor != nil {
		return floorShard{n.floor}, true
	}
	return n.engine.Lead(s)
}

// proposer commits to entities that nobody else does, so a commit is rejected
// only after one whose end was unknown.
type proposer struct {
	number int
	next   uint64
	revs   [entities]uint64
	state  []byte
	fresh  string // the begin of the entities' names when each commit founds one
}

// propose commits until ctx ends, as long as this node leads the shard.
func (n *node) propose(ctx context.Context, s cluster.ShardID, number int, o *order) {
	p := &proposer{number: number, state: make([]byte, o.Size)}
	if o.Fresh {
		p.fresh = fmt.Sprintf("fresh-%d-%d", n.orders, number)
	}
	for ctx.Err() == nil {
		shard, ok := n.lead(s)
		if !ok {
			pause(ctx, 10*time.Millisecond)
			continue
		}
		p.load(shard)
		n.commitAll(ctx, p, shard)
	}
}

// commitAll commits until one fails.
func (n *node) commitAll(ctx context.Context, p *proposer, shard shard) {
	for ctx.Err() == nil {
		begin := time.Now()
		// The commit gets no context that ends: how it ends is waited for.
		if err := shard.Commit(context.Background(), p.commit()); err != nil {
			n.failed.Add(1)
			p.failed()
			pause(ctx, time.Millisecond)
			return
		}
		n.commits.record(time.Since(begin))
		if p.fresh != "" {
			n.founded.Add(1)
		}
		p.done()
	}
}

func (p *proposer) entity(i uint64) cluster.Entity {
	return cluster.Entity{Kind: "profile", Identity: fmt.Sprintf("viewer-%d-%d", p.number, i)}
}

// load takes over what is stored.
func (p *proposer) load(shard shard) {
	if p.fresh != "" {
		return
	}
	for i := range p.revs {
		head, _, err := shard.Head(p.entity(uint64(i)))
		if err == nil {
			p.revs[i] = head.Rev
		}
	}
}

func (p *proposer) commit() cluster.Commit {
	i := p.next % entities
	var id cluster.RequestID
	binary.BigEndian.PutUint64(id[:], p.next)
	binary.BigEndian.PutUint64(id[8:], uint64(p.number))
	if p.fresh != "" {
		return cluster.Commit{
			Entity: cluster.Entity{Kind: "profile", Identity: fmt.Sprintf("%s-%d", p.fresh, p.next)}, Schema: 1, State: p.state,
			Outcomes: []cluster.Outcome{{Request: id, Result: p.state[:min(8, len(p.state))]}},
		}
	}
	return cluster.Commit{
		Entity: p.entity(i), BaseRev: p.revs[i], Schema: 1, State: p.state,
		Outcomes: []cluster.Outcome{{Request: id, Result: p.state[:min(8, len(p.state))]}},
	}
}

// failed leaves an entity alone that may have been founded.
func (p *proposer) failed() {
	if p.fresh != "" {
		p.next++
	}
}

func (p *proposer) done() {
	p.revs[p.next%entities]++
	p.next++
}

// read takes barriers until ctx ends.
func (n *node) read(ctx context.Context, s cluster.ShardID, every time.Duration) {
	for ctx.Err() == nil {
		pause(ctx, every)
		shard, ok := n.lead(s)
		if !ok {
			pause(ctx, 10*time.Millisecond)
			continue
		}
		begin := time.Now()
		if err := shard.ReadBarrier(ctx); err == nil {
			n.reads.record(time.Since(begin))
		} else if ctx.Err() == nil {
			n.failed.Add(1)
		}
	}
}

func pause(ctx context.Context, d time.Duration) {
	if d == 0 {
		return
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}
