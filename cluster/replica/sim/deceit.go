package sim

import (
	"math/rand/v2"
	"time"

	pb "go.etcd.io/raft/v3/raftpb"

	"ssod/cluster/replica/core"
)

// deceit is what lets a deposed leader go on: it is paused while another one is elected,
// and then learns of it only by its own fences. Answers to these come twice, once late. It
// draws from a source of its own, so that runs without it do not depend on it.
type deceit struct {
	lots     *rand.Rand
	deceives bool
	// deaf says until when each node gets no messages of raft.
	deaf map[core.NodeID]instant
	// led says when each leader of a shard was first seen.
	led map[core.ShardID][]led
}

type led struct {
	term uint64
	at   instant
}

func newDeceit(seed uint64, joins bool) deceit {
	return deceit{
		lots: rand.New(rand.NewPCG(seed, 0xdece17)), deceives: seed%5 == 4 && !joins,
		deaf: map[core.NodeID]instant{}, led: map[core.ShardID][]led{},
	}
}

func (d *deceit) draw(lo, hi time.Duration) time.Duration {
	return lo + time.Duration(d.lots.Int64N(int64(hi-lo)))
}

// deceiveSome deceives leaders, again and again.
func (w *world) deceiveSome() {
	if !w.deceives {
		return
	}
	w.after(w.draw(time.Second, 6*time.Second), func() {
		if !w.faulty {
			return
		}
		if n, o := w.newestOwner(w.shards[w.lots.IntN(len(w.shards))]); o != nil {
			w.deceive(n)
		}
		w.deceiveSome()
	})
}

// deceive pauses a node for longer than an election takes. For a moment more it is deaf.
func (w *world) deceive(n *node) (until instant) {
	n.paused = w.now + w.draw(1200*time.Millisecond, 3500*time.Millisecond)
	w.deaf[n.id] = n.paused + w.draw(50*time.Millisecond, 400*time.Millisecond)
	return w.deaf[n.id]
}

// divide deceives a leader that has just applied a joint configuration, and keeps
// those whom it brings from hearing of the others.
func (w *world) divide(n *node, shard core.ShardID, conf *pb.ConfState) {
	o := n.owners[shard]
	if !w.deceives || !w.faulty || o == nil || o.over || len(conf.GetVotersOutgoing()) == 0 {
		return
	}
	before := map[core.NodeID]bool{}
	for _, v := range conf.GetVotersOutgoing() {
		before[core.ReplicaID(v).Node()] = true
	}
	for _, a := range w.ids {
		for _, b := range w.ids {
			if a != n.id && b != n.id && before[a] != before[b] {
				w.network.cut[link{a, b}] = true
			}
		}
	}
	w.after(w.deceive(n)-w.now, w.network.heal)
}

// isDeaf reports whether messages of raft to a node get lost.
func (w *world) isDeaf(n core.NodeID) bool { return w.faulty && w.deaf[n] > w.now }

// repeatFences delivers some fences once more, up to two seconds later.
func (w *world) repeatFences(from, to core.NodeID, frame []byte) {
	if w.deceives && w.faulty && w.lots.IntN(2) == 0 {
		w.after(w.draw(0, 2*time.Second), func() { w.network.deliver(from, to, frame) })
	}
}

// noteLeader remembers when a leader was first seen.
func (w *world) noteLeader(shard core.ShardID, term uint64) {
	w.led[shard] = append(w.led[shard], led{term, w.now})
}

// checkFence: a leader that a fence confirms has no successor that was elected before it
// asked.
func (w *world) checkFence(n *node, shard core.ShardID, term uint64, asked instant) {
	for _, l := range w.led[shard] {
		if l.term > term && l.at < asked {
			w.violate("node %d is confirmed at %v as the leader in term %d of shard %d, and there was a leader of term %d at %v", n.id, asked, term, shard, l.term, l.at)
		}
	}
}
