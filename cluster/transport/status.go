package transport

import (
	"cmp"
	"slices"
	"time"

	"ssod/persistence"
)

// Status is what is known of a peer.
type Status struct {
	Peer
	// Connected: frames are sent to the peer.
	Connected bool
	// Boot is the start of it that was met last.
	Boot persistence.Boot
	// Heard is when anything last came from the peer; the zero time: never.
	Heard time.Time
	// Offset is how far its clock is ahead of this node's, measured over a
	// message and its answer that took Trip; Trip is 0 when nothing was
	// measured on this connection yet.
	Offset, Trip time.Duration
	// Copies counts the processes that were refused as this node.
	Copies uint64
	// Waiting is how many bytes wait for it, Dropped counts the dropped frames.
	Waiting int
	Dropped uint64
}

// Peers returns all known peers, by id.
func (n *Network) Peers() []Status {
	n.mu.RLock()
	defer n.mu.RUnlock()
	all := make([]Status, 0, len(n.peers))
	for _, p := range n.peers {
		all = append(all, p.status())
	}
	slices.SortFunc(all, func(a, b Status) int { return cmp.Compare(a.ID, b.ID) })
	return all
}

func (p *peer) status() Status {
	s := Status{
		Peer: p.target(), Connected: p.connected.Load(), Boot: p.boot(),
		Heard: p.lastHeard(), Waiting: p.queue.waiting(), Dropped: p.dropped.Load(), Copies: p.copies.Load(),
	}
	if best, ok := p.clock.best(); ok {
		s.Offset, s.Trip = best.now(p.n.up()).Sub(p.n.wall()), best.trip
	}
	return s
}

func (p *peer) boot() persistence.Boot {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.lineage.met.Last()
}

func (p *peer) lastHeard() time.Time {
	if at := p.heard.Load(); at != 0 {
		return p.n.started.Add(time.Duration(at))
	}
	return time.Time{}
}

// Connected reports whether frames are sent to a peer. A process that has ended is noticed at
// once, a silent one after [Config.Silence].
func (n *Network) Connected(id NodeID) bool {
	p := n.peer(id)
	return p != nil && p.connected.Load()
}

// LastHeard is when anything came from a peer; the zero time: never.
func (n *Network) LastHeard(id NodeID) time.Time {
	p := n.peer(id)
	if p == nil {
		return time.Time{}
	}
	return p.lastHeard()
}
