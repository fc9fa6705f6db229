package sim

import (
	"time"

	"ssod/cluster/replica/core"
)

// network carries frames between nodes, badly.
type network struct {
	w    *world
	cut  map[link]bool // one way
	loss float64
	// dup is the chance that a frame arrives twice, late that it takes
	// seconds, which is also how frames overtake each other.
	dup, late float64
}

type link struct{ from, to core.NodeID }

// send delivers a frame, or does not.
func (n *network) send(from, to core.NodeID, frame []byte) {
	if n.w.chance(n.loss) {
		return
	}
	copies := 1
	if n.w.chance(n.dup) {
		copies = 2
	}
	for range copies {
		n.w.after(n.delay(), func() { n.deliver(from, to, frame) })
	}
}

func (n *network) delay() time.Duration {
	if n.w.chance(n.late) {
		return n.w.between(10*time.Millisecond, 4*time.Second)
	}
	return n.w.between(100*time.Microsecond, 2*time.Millisecond)
}

func (n *network) deliver(from, to core.NodeID, frame []byte) {
	node := n.w.nodes[to]
	if node == nil || n.cut[link{from, to}] {
		return
	}
	if !core.HasFences(frame) && n.w.isDeaf(to) {
		return
	}
	if core.HasFences(frame) {
		n.deliverFences(from, node, frame)
		return
	}
	es, err := core.DecodeFrame(frame)
	if err != nil {
		n.w.violate("frame from %d to %d: %v", from, to, err)
	}
	node.input(func(c *core.Core) { c.Receive(from, es) })
}

func (n *network) deliverFences(from core.NodeID, node *node, frame []byte) {
	fs, err := core.DecodeFences(from, frame)
	if err != nil {
		n.w.violate("fences from %d to %d: %v", from, node.id, err)
	}
	node.input(func(c *core.Core) {
		for _, f := range fs {
			c.ReceiveFence(from, f)
		}
	})
}

// carry lets a node do something when what another one, or a process that is
// none, asks for has come; 0 is such a process.
func (n *network) carry(from, to core.NodeID, do func(*node)) {
	if n.w.chance(n.loss) {
		return
	}
	n.w.after(n.delay(), func() {
		if node := n.w.nodes[to]; !n.cut[link{from, to}] {
			node.input(func(*core.Core) { do(node) })
		}
	})
}

// partition cuts nodes off from the others, in one direction or both.
func (n *network) partition(side map[core.NodeID]bool, in, out bool) {
	for _, a := range n.w.ids {
		for _, b := range n.w.ids {
			if side[a] != side[b] && (side[a] && out || side[b] && in) {
				n.cut[link{a, b}] = true
			}
		}
	}
}

func (n *network) heal() { clear(n.cut) }
