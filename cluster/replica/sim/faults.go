package sim

import (
	"time"

	"ssod/cluster/replica/core"
)

// scheduleFaults draws how bad this run is and starts the faults. Some runs
// have few kinds of faults so that others do not hide what each does.
func (w *world) scheduleFaults() {
	w.drawNetwork()
	w.schedule([]fault{
		{4 * time.Second, w.crashNode},
		{5 * time.Second, w.cutNode},
		{6 * time.Second, w.pauseNode},
		{8 * time.Second, w.slowDisk},
		{10 * time.Second, w.wrongClock},
		{20 * time.Second, w.loseNode},
		{15 * time.Second, w.crashAll},
	})
}

// fault is what happens to a node, and how often.
type fault struct {
	often time.Duration
	do    func(*node)
}

// drawNetwork draws how bad the network is, and whether writes are cut short.
func (w *world) drawNetwork() {
	n := &w.network
	if w.chance(0.5) {
		n.loss = w.rand.Float64() * 0.1
	}
	if w.chance(0.5) {
		n.dup = w.rand.Float64() * 0.1
	}
	if w.chance(0.5) {
		n.late = w.rand.Float64() * 0.05
	}
	w.crashWrites = w.chance(0.7)
}

// schedule starts some of the faults.
func (w *world) schedule(faults []fault) {
	for _, f := range faults {
		if w.chance(0.7) {
			w.every(f.often, f.do)
		}
	}
}

// every does a fault to some node again and again.
func (w *world) every(often time.Duration, f func(*node)) {
	w.after(w.between(often/10, 2*often), func() {
		if w.faulty {
			f(w.target())
			w.every(often, f)
		}
	})
}

// target is the node that a fault hits, half of the time one that leads.
func (w *world) target() *node {
	if w.chance(0.5) {
		if n, o := w.newestOwner(w.shards[w.rand.IntN(len(w.shards))]); o != nil {
			return n
		}
	}
	return w.nodes[w.ids[w.rand.IntN(len(w.ids))]]
}

// later undoes a fault, unless all were healed before.
func (w *world) later(hi time.Duration, f func()) {
	w.after(w.between(10*time.Millisecond, hi), func() {
		if w.faulty {
			f()
		}
	})
}

// crashNode stops a node. Half of the time its peers notice the connection
// break.
func (w *world) crashNode(n *node) {
	if n.core == nil {
		return
	}
	w.crashes++
	n.crash()
	if w.chance(0.5) {
		w.connectionsLost(n.id)
	}
	w.later([]time.Duration{5 * time.Second, 100 * time.Millisecond}[w.rand.IntN(2)], n.revive)
}

func (w *world) connectionsLost(dead core.NodeID) {
	for _, id := range w.ids {
		if !w.network.cut[link{dead, id}] {
			w.nodes[id].input(func(c *core.Core) { c.ConnectionLost(dead) })
		}
	}
}

// crashAll is a power cut.
func (w *world) crashAll(*node) {
	for _, id := range w.ids {
		w.crashNode(w.nodes[id])
	}
}

// cutNode cuts a node, or two, off: from all others, or in one direction.
func (w *world) cutNode(n *node) {
	side := map[core.NodeID]bool{n.id: true}
	if w.chance(0.3) {
		side[w.ids[w.rand.IntN(len(w.ids))]] = true
	}
	switch w.rand.IntN(3) {
	case 0:
		w.network.partition(side, true, true)
	case 1:
		w.network.partition(side, true, false)
	case 2:
		w.network.partition(side, false, true)
	}
	w.later(6*time.Second, w.network.heal)
}

// pauseNode stops a process for a while, as a busy host does. Its messages and
// requests wait; they are taken in one round.
func (w *world) pauseNode(n *node) {
	n.paused = w.now + w.between(50*time.Millisecond, 5*time.Second)
}

func (w *world) slowDisk(n *node) {
	n.slow = float64(10 + w.rand.IntN(300))
	w.later(5*time.Second, func() { n.slow = 1 })
}

func (w *world) wrongClock(n *node) {
	offset := w.between(-5*time.Second, 5*time.Second)
	if !w.leaps {
		n.offset = offset
		w.noteClocks()
	}
}

// loseNode loses a node's disk; the node returns with an empty one.
func (w *world) loseNode(n *node) {
	w.loseDisk(n)
	if n.core == nil {
		n.start()
	}
}
