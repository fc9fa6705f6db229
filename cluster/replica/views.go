package replica

import (
	"sync/atomic"

	"ssod/cluster"
	"ssod/cluster/replica/core"
)

// views are what the rest of the process sees of each shard's leadership. They are
// written under the turn.
type views struct {
	shards   []atomic.Pointer[view]
	watchers cluster.Watchers[cluster.ShardID]
}

type view struct {
	core.Leadership
	handle *handle // nil: this node does not lead
}

func (v *views) get(id cluster.ShardID) *view {
	if int(id) >= len(v.shards) {
		return nil
	}
	return v.shards[id].Load()
}

// update follows changes of leadership.
func (v *views) update(ls []core.Leadership, e *Engine) {
	for _, l := range ls {
		if int(l.Shard) >= len(v.shards) {
			continue
		}
		old := v.shards[l.Shard].Load()
		now := &view{Leadership: l}
		if old != nil && old.handle != nil && l.Open && l.Term == old.Term && l.Era == old.Era {
			now.handle = old.handle
			now.handle.led.Store(&now.Leadership)
		} else {
			if old != nil && old.handle != nil {
				old.handle.end()
			}
			if l.Open {
				now.handle = newHandle(e, l)
			}
		}
		v.shards[l.Shard].Store(now)
		v.watchers.Call(l.Shard)
	}
}

// Count implements [cluster.Shards].
func (e *Engine) Count() int { return len(e.views.shards) - 1 }

// Owner implements [cluster.Shards].
func (e *Engine) Owner(id cluster.ShardID) (cluster.Owner, bool) {
	v := e.views.get(id)
	if v == nil || v.Leader == 0 {
		return cluster.Owner{}, false
	}
	return cluster.Owner{Address: e.cfg.Address(v.Leader.Node()), Term: v.Term}, true
}

// Vouch is this node's voucher for the leader of a shard, to go with a read.
func (e *Engine) Vouch(id cluster.ShardID) (cluster.Voucher, bool) {
	v := e.views.get(id)
	if v == nil || !e.speaks(id) {
		return cluster.Voucher{}, false
	}
	f, ok := v.Leadership.Vouch()
	return cluster.Voucher{Term: f.Term, Replica: uint64(f.Replica)}, ok
}

// Leadership is what this node's replica of a shard knows of its leader; zero without a
// replica.
func (e *Engine) Leadership(id cluster.ShardID) core.Leadership {
	if v := e.views.get(id); v != nil {
		return v.Leadership
	}
	return core.Leadership{}
}

// Lead implements [cluster.Shards].
func (e *Engine) Lead(id cluster.ShardID) (cluster.Shard, bool) {
	v := e.views.get(id)
	if v == nil || v.handle == nil {
		return nil, false
	}
	return v.handle, true
}

// Watch implements [cluster.Shards].
func (e *Engine) Watch(f func(cluster.ShardID)) (stop func()) { return e.views.watchers.Add(f) }
