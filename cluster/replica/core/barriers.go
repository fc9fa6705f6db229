package core

import "slices"

// Barrier is a read that waits until it may be answered here.
type Barrier struct {
	Shard ShardID
	// Term is the leadership that the reader holds.
	Term uint64
	// Done is called once, by the core's goroutine: nil when everything that was
	// acknowledged before the barrier began is applied here and this node still leads
	// in the term, else ErrLost.
	Done func(error)
}

// barriers are a group's unanswered barriers, in two stages.
type barriers struct {
	queue []*Barrier   // wait for the next question
	asked []barrierSet // wait for a majority to confirm the leader, in order
	since uint64       // tick of the last question about them
	// followed is the last question that each replica answered.
	followed map[ReplicaID]uint64
}

// barrierSet are barriers that began before a question was asked.
type barrierSet struct {
	number uint64 // of the question
	all    []*Barrier
}

func (b *barriers) end() {
	for _, s := range b.asked {
		pass(s.all, ErrLost)
	}
	pass(b.queue, ErrLost)
	*b = barriers{}
}

func pass(bs []*Barrier, err error) {
	for _, b := range bs {
		b.Done(err)
	}
}

// number gives the queue the number of the next question and reports whether any
// barrier waits for an answer.
func (b *barriers) number(n, tick uint64) bool {
	b.since = tick
	if len(b.queue) > 0 {
		b.asked = append(b.asked, barrierSet{n, b.queue})
		b.queue = nil
	}
	return len(b.asked) > 0
}

// follow notes that a replica has answered a question.
func (b *barriers) follow(id ReplicaID, number uint64) {
	if b.followed == nil {
		b.followed = make(map[ReplicaID]uint64)
	}
	b.followed[id] = max(b.followed[id], number)
}

// Barrier queues a read for the next question to the other voters. It fails at once
// when the term is over or no majority is heard.
func (c *Core) Barrier(b *Barrier) {
	g := c.groups[b.Shard]
	if g == nil || !g.open || g.term != b.Term || g.noQuorum > 0 {
		b.Done(ErrLost)
		return
	}
	g.barriers.queue = append(g.barriers.queue, b)
	c.mark(g)
}

// ask has the next question confirm this leader for the queued barriers (raft thesis
// 6.4, with questions of our own). A sole voter needs none.
func (c *Core) ask(g *group) {
	b := &g.barriers
	switch {
	case len(b.queue) == 0:
	case !g.leads(b.queue[0].Term):
		pass(b.queue, ErrLost)
		b.queue = nil
	case soleVoter(g.applied.Conf, g.id):
		pass(b.queue, nil)
		b.queue = nil
	default:
		c.fences.wait(g)
	}
}

// confirm answers the barriers that began before a question which a majority of the
// voters has answered, on both sides of a change of members.
//
// The commit index of the others does not matter: this leader applies the commits of
// its term before it acknowledges them, and it applied those of earlier leaders before
// it gave out its handle.
func (c *Core) confirm(g *group) {
	b := &g.barriers
	upTo := g.confirmed(g.applied.Conf.GetVoters())
	if out := g.applied.Conf.GetVotersOutgoing(); len(out) > 0 {
		upTo = min(upTo, g.confirmed(out))
	}
	for len(b.asked) > 0 && b.asked[0].number <= upTo {
		s := b.asked[0]
		b.asked = slices.Delete(b.asked, 0, 1)
		if g.leads(s.all[0].Term) {
			c.fences.counts.Barriers += uint64(len(s.all))
			pass(s.all, nil)
		} else {
			pass(s.all, ErrLost)
		}
		if b.queue == nil {
			clear(s.all)
			b.queue = s.all[:0] // its room is used again
		}
	}
}

// confirmed is the last question that a majority of voters has answered, this one
// included.
func (g *group) confirmed(voters []uint64) uint64 {
	numbers := make([]uint64, 0, 8)
	for _, v := range voters {
		if ReplicaID(v) == g.id {
			numbers = append(numbers, ^uint64(0))
		} else {
			numbers = append(numbers, g.barriers.followed[ReplicaID(v)])
		}
	}
	slices.Sort(numbers)
	return numbers[(len(numbers)-1)/2]
}

// reask has the voters of a new configuration asked again.
func (c *Core) reask(g *group) {
	b := &g.barriers
	var all []*Barrier
	for _, s := range b.asked {
		all = append(all, s.all...)
	}
	b.queue, b.asked = append(all, b.queue...), nil
	c.mark(g)
}
