package sim

import (
	"fmt"
	"time"

	"ssod/cluster/replica/core"
	"ssod/cluster/replica/internal/planted"
)

// writing is how long the disk takes.
func (n *node) writing() time.Duration {
	return time.Duration(float64(n.w.between(100*time.Microsecond, 3*time.Millisecond)) * n.slow)
}

// append is the engine's append goroutine: everything that waits becomes one
// batch with one sync. Between the two a crash may lose any end of it.
func (n *node) append() {
	if n.appending || len(n.appends) == 0 {
		return
	}
	n.appending = true
	jobs := n.appends
	n.appends = nil
	var writes []core.LogWrite
	sync := false
	for _, j := range jobs {
		writes = append(writes, j.Writes...)
		sync = sync || j.Sync
	}
	n.must(n.store.Append(writes, false))
	n.crashHere(0.001)
	done := func(c *core.Core) {
		for _, j := range jobs {
			c.AppendDone(j)
		}
	}
	early := n.w.opts.Planted.Has(planted.AckBeforeSync)
	if early {
		n.input(done)
	}
	n.after(n.writing(), func() {
		n.appending = false
		if sync {
			n.store.Sync()
		}
		if !early {
			n.input(done)
		}
		n.append()
	})
}

// crashHere crashes the node, sometimes, while a write is under way.
func (n *node) crashHere(p float64) {
	if n.w.faulty && n.w.crashWrites && n.w.chance(p) {
		n.after(0, func() { n.w.crashNode(n) })
	}
}

// apply is the engine's apply goroutine.
func (n *node) apply() {
	if n.applying || len(n.applies) == 0 {
		return
	}
	n.applying = true
	j := n.applies[0]
	n.applies = n.applies[1:]
	n.after(n.w.between(0, 500*time.Microsecond), func() {
		n.must(j.Run(n.store))
		n.w.checkApplied(n, j)
		if n.w.opts.Planted.Has(planted.TruncateBeforeFlush) {
			n.tellApplied()
		}
		n.after(n.w.between(0, 500*time.Microsecond), func() {
			n.applying = false
			n.input(func(c *core.Core) { c.ApplyDone(j) })
			n.apply()
		})
	})
}

// flush is the engine's flush goroutine. What it takes of the shards it writes a
// little later, one after the other; a crash may come between two.
func (n *node) flush() {
	f := &n.w.flushing
	n.after(f.between(f.apart/2, f.apart), func() {
		for _, s := range n.w.shards {
			n.store.BeginFlush(s)
		}
		n.after(f.between(0, 3*time.Millisecond), func() {
			for _, s := range n.w.shards {
				n.store.FinishFlush(s)
			}
			if n.w.faulty && n.w.crashWrites && f.chance(0.01) {
				n.after(0, func() { n.w.crashNode(n) })
			}
			n.input(func(c *core.Core) {
				for _, s := range n.w.shards {
					c.Flushed(s, n.store.Flushed(s))
				}
			})
			n.flush()
		})
	})
}

// tellApplied is a mistake.
func (n *node) tellApplied() {
	n.input(func(c *core.Core) {
		for _, s := range n.w.shards {
			c.Flushed(s, n.store.Applied(s).Index)
		}
	})
}

// install is the installation of a snapshot, beside the rest.
func (n *node) install(j *core.InstallJob) {
	n.after(n.writing(), func() {
		n.must(n.store.BeginInstall(j.Install))
		n.crashHere(0.1)
		n.after(10*n.writing(), func() {
			a, err := n.store.FinishInstall(j.Shard)
			n.must(err)
			n.w.installs++
			n.w.checkState(n, j.Shard)
			n.input(func(c *core.Core) { c.InstallDone(j, a) })
		})
	})
}

// snapshot sends a shard's state to another replica: the data on a side
// stream, then the message.
func (n *node) snapshot(s core.SnapshotSend) {
	n.after(n.writing(), func() {
		image, err := n.store.Export(s.Shard)
		if err != nil { // the replica was removed
			n.input(func(c *core.Core) { c.SnapshotSent(s.Shard, s.To, false) })
			return
		}
		n.w.snapshots++
		name := fmt.Sprintf("%d-%d-%d", s.Shard, n.id, n.w.snapshots)
		s.Message.Snapshot.Metadata = image.Metadata()
		s.Message.Snapshot.Data = []byte(name)
		n.after(n.w.between(time.Millisecond, 200*time.Millisecond), func() {
			ok := n.stream(s, func(to *node) { to.store.Receive(name, image) })
			n.input(func(c *core.Core) { c.SnapshotSent(s.Shard, s.To, ok) })
		})
	})
}

// stream delivers a snapshot; false when the stream broke.
func (n *node) stream(s core.SnapshotSend, store func(*node)) bool {
	to := n.w.nodes[s.To.Node()]
	if to == nil || to.core == nil || n.w.network.cut[link{n.id, to.id}] || n.w.chance(0.1) {
		return false
	}
	store(to)
	frame, err := core.AppendFrame(nil, []core.Envelope{{Shard: s.Shard, Message: s.Message}})
	n.must(err)
	es, err := core.DecodeFrame(frame)
	n.must(err)
	to.input(func(c *core.Core) {
		if !c.ReceiveSnapshot(n.id, es[0]) {
			to.store.Discard(string(es[0].Message.Snapshot.Data))
		}
	})
	return true
}

func (n *node) must(err error) {
	if err != nil {
		n.w.violate("node %d: %v", n.id, err)
	}
}
