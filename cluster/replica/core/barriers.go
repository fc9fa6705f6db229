package core

import (
	"encoding/binary"

	"go.etcd.io/raft/v3"

	"ssod/cluster/replica/internal/planted"
)

// Barrier is a read that waits until it may be answered here.
type Barrier struct {
	Shard ShardID
	// Term is the leadership that the reader holds.
	Term uint64
	// Done is called once, by whoever has the core: nil when everything that
	// was acknowledged before the barrier began is applied here and this node
	// still leads in the term, else ErrLost.
	Done func(error)
}

// barriers are a group's barriers that are not answered yet, in two stages.
type barriers struct {
	queue []*Barrier   // wait for the next round
	asked []barrierSet // wait for a majority to confirm the leader
	next  uint64       // number of the next set
}

type barrierSet struct {
	id  uint64
	all []*Barrier
}

func (b *barriers) end() {
	for _, s := range b.asked {
		pass(s.all, ErrLost)
	}
	pass(b.queue, ErrLost)
	*b = barriers{next: b.next}
}

func pass(bs []*Barrier, err error) {
	for _, b := range bs {
		b.Done(err)
	}
}

// Barrier queues a read for the next round; the reads of a shard that wait for
// the same round share one exchange with the followers. It fails at once when
// the term is over or no majority is heard of.
func (c *Core) Barrier(b *Barrier) {
	g := c.groups[b.Shard]
	if g == nil || !g.open || g.term != b.Term || g.silent > 0 {
		b.Done(ErrLost)
		return
	}
	g.barriers.queue = append(g.barriers.queue, b)
	c.mark(g)
}

// ask starts the exchange that confirms this leader (raft thesis 6.4). Raft is
// asked only while it leads in the readers' term: a follower would forward the
// question, and the new leader's answer says nothing about what the reader has
// in memory.
func (c *Core) ask(g *group) {
	q := g.barriers.queue
	if len(q) == 0 {
		return
	}
	g.barriers.queue = nil
	if !g.leads(q[0].Term) && !c.cfg.Planted.Has(planted.ForwardedRead) {
		pass(q, ErrLost)
		return
	}
	g.barriers.next++
	id := g.barriers.next
	g.barriers.asked = append(g.barriers.asked, barrierSet{id: id, all: q})
	g.stirred = true
	g.node.ReadIndex(binary.BigEndian.AppendUint64(nil, id))
}

// confirmed answers what raft confirmed. Answers come in the order of the
// questions; a question without an answer was lost with a leadership.
//
// The commit index that raft confirms is of no interest. Only this leader
// acknowledges commits of its term, after it applied them, and what earlier ones
// acknowledged was applied before the handle was given out: everything is here,
// although more may be committed that waits for this node's own disk.
func (c *Core) confirmed(g *group, rs raft.ReadState) {
	id := binary.BigEndian.Uint64(rs.RequestCtx)
	b := &g.barriers
	for len(b.asked) > 0 && b.asked[0].id <= id {
		s := b.asked[0]
		b.asked = b.asked[1:]
		if s.id == id {
			c.release(g, s)
		} else {
			pass(s.all, ErrLost)
		}
	}
}

// confirmAll answers what was asked of voters that are none any more: this node
// is alone.
func (c *Core) confirmAll(g *group) {
	asked := g.barriers.asked
	g.barriers.asked = nil
	for _, s := range asked {
		c.release(g, s)
	}
}

// release answers barriers unless the leadership has ended meanwhile.
func (c *Core) release(g *group, s barrierSet) {
	if g.leads(s.all[0].Term) || c.cfg.Planted.Has(planted.ForwardedRead) {
		pass(s.all, nil)
	} else {
		pass(s.all, ErrLost)
	}
}
