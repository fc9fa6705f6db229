package node

import (
	"context"
	"math"
	"sync/atomic"
	"time"

	"ssod/cluster"
	"ssod/cluster/membership"
	"ssod/cluster/placement"
)

const (
	// spaceEvery is how often the node measures its free disk for others, which learn
	// of it in steps of spaceStep bytes.
	spaceEvery = 5 * time.Second
	spaceStep  = 64 << 20
)

// space is the free disk of this node, and of the others.
type space struct {
	// free is how many bytes are free, 0 where that is not known; need is how many a
	// disk must have for further replicas.
	free, need atomic.Uint64
	// members are those that gossip knows; nil before there is any.
	members atomic.Pointer[membership.Gossip]
}

// look measures the disk, and reports whether others should learn of it.
//
// Further replicas need twice the reserve, below which the store refuses changes, and room
// for two shards of the average size here.
func (s *space) look(n *Node) (changed bool) {
	now := n.store.Space()
	held := uint64(1)
	for id := range cluster.ShardID(n.engine.Count() + 1) {
		if place, ok := n.nodes.Assignment(int(id)); ok && place.Has(n.me.ID) {
			held++
		}
	}
	s.need.Store(2*now.Reserve + 2*now.Used/held)
	free := uint64(0)
	if now.Free != math.MaxUint64 {
		free = max(now.Free-now.Free%spaceStep, 1<<20)
	}
	return s.free.Swap(free) != free
}

// on is how many bytes of a node's disk are free, this one's included, as far as it
// said.
func (s *space) on(id placement.NodeID) (free uint64, known bool) {
	members := s.members.Load()
	if members == nil {
		return 0, false
	}
	for _, m := range members.Members() { // of each name the latest is last
		if m.State == membership.Alive && m.Meta.NodeID == uint32(id) && m.Meta.FreeDisk > 0 {
			free, known = m.Meta.FreeDisk, true
		}
	}
	return free, known
}

// tell gossips how much of the disk is free, until the node ends.
func (s *space) tell(n *Node) {
	s.members.Store(n.gossip)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(spaceEvery)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
			case <-ctx.Done():
				return
			}
			if !s.look(n) {
				continue
			}
			if err := n.tellMeta(); err != nil {
				n.log.Warn("others are not told how much of the disk is free", "error", err)
			}
		}
	}()
	n.own("news of the disk", closing(func() error { cancel(); <-ended; return nil }))
}
