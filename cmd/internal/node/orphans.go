package node

import (
	"context"
	"sync"
	"time"

	"ssod/cluster"
)

// ownerGrace is how long a shard may have no owner before the node is unready: as long as
// a request waits for one. All nodes see an election or a transfer at the same moment; if
// that made them unready, a load balancer would have none left.
const ownerGrace = 2 * time.Second

// orphans are the shards without a known owner, and since when.
type orphans struct {
	mu    sync.Mutex
	since map[cluster.ShardID]time.Time
}

// note notes whether a shard has an owner now.
func (o *orphans) note(id cluster.ShardID, owned bool, now time.Time) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if owned {
		delete(o.since, id)
		return
	}
	if o.since == nil {
		o.since = map[cluster.ShardID]time.Time{}
	}
	if _, known := o.since[id]; !known {
		o.since[id] = now
	}
}

// overdue counts the shards that have had no owner for longer than the grace.
func (o *orphans) overdue(now time.Time) (n int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, since := range o.since {
		if now.Sub(since) > ownerGrace {
			n++
		}
	}
	return n
}

// look notes of every shard whether it has an owner.
func (n *Node) look(now time.Time) {
	for id := cluster.ShardID(0); int(id) <= n.shards.Count(); id++ {
		_, owned := n.shards.Owner(id)
		n.orphans.note(id, owned, now)
	}
}

// watchOwners notes when shards lose and get owners. One without an owner at the start
// counts as overdue.
func (n *Node) watchOwners(context.Context) error {
	stop := n.shards.Watch(func(id cluster.ShardID) {
		_, owned := n.shards.Owner(id)
		n.orphans.note(id, owned, time.Now())
	})
	n.own("watch of owners", closing(func() error { stop(); return nil }))
	n.look(time.Now().Add(-ownerGrace - 1))
	return nil
}
