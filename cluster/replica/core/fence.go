package core

import (
	"maps"
	"slices"
)

// Fence is a question to another node, or an answer to one: do your replicas of
// these shards still follow in these terms? cluster/replica/DESIGN.md#fences says what an
// answer is worth.
type Fence struct {
	// Answer: From says so of Terms. Else it is asked.
	Answer bool
	// Number is that of the question. An answer repeats it.
	Number uint64
	Terms  []Followed
}

// Followed is the term of a shard that a replica follows in. In a question the
// replica is not said: whoever is there answers.
type Followed struct {
	Shard   ShardID
	Term    uint64
	Replica ReplicaID
}

// fences are the questions of this node and its answers.
type fences struct {
	// number is that of the last question.
	number uint64
	// waiting are the groups with barriers that are to be asked about next.
	waiting []*group
	// about are the groups of the last question while it is under way, asked is
	// the tick at which it left, and missing who has not answered it.
	about   []*group
	asked   uint64
	missing map[NodeID]bool
	// mute are nodes that have not answered when the last question was given up.
	mute map[NodeID]bool
	out  map[NodeID][]Fence

	counts FenceCounts
}

// FenceCounts are what became of fences since the core was made.
type FenceCounts struct {
	// Asked are questions, each to all nodes that it concerns, and Barriers those
	// that answers to them let pass.
	Asked, Barriers uint64
	// Late are answers that had not come when their question was given up, and
	// Refused the shards that this node was asked about and does not follow in the
	// term that was asked about.
	Late, Refused uint64
}

// FenceCounts counts fences.
func (c *Core) FenceCounts() FenceCounts { return c.fences.counts }

// fenceTicks is after how many ticks a question is given up and asked again:
// frames may be lost.
const fenceTicks = 2

// wait lets a group's barriers wait for the next question.
func (f *fences) wait(g *group) {
	if !slices.Contains(f.waiting, g) {
		f.waiting = append(f.waiting, g)
	}
}

// due reports whether a question is to be asked: one at a time, so that the more
// wait the more share it.
func (f *fences) due() bool { return len(f.waiting) > 0 && !f.awaited() }

// awaited reports whether barriers wait for the last question.
func (f *fences) awaited() bool {
	return slices.ContainsFunc(f.about, func(g *group) bool { return len(g.barriers.asked) > 0 })
}

// put adds to what is sent to a node.
func (f *fences) put(to NodeID, fence Fence) {
	if f.out == nil {
		f.out = make(map[NodeID][]Fence)
	}
	f.out[to] = append(f.out[to], fence)
}

// question asks the voters of all groups that wait, one question for each node.
func (c *Core) question() {
	f := &c.fences
	if !f.due() {
		return
	}
	f.number++
	f.counts.Asked++
	c.giveUp() // whoever it was about needs it no more
	asks := make(map[NodeID][]Followed)
	for _, g := range f.waiting {
		if !g.barriers.number(f.number, c.ticks) {
			continue // they were answered meanwhile
		}
		f.about = append(f.about, g)
		c.askVoters(asks, g, g.applied.Conf.GetVoters())
		c.askVoters(asks, g, g.applied.Conf.GetVotersOutgoing())
	}
	clear(f.waiting)
	f.waiting, f.asked, f.missing = f.waiting[:0], c.ticks, make(map[NodeID]bool, len(asks))
	for _, n := range slices.Sorted(maps.Keys(asks)) {
		f.missing[n] = true
		f.put(n, Fence{Number: f.number, Terms: asks[n]})
	}
}

// askVoters adds a group to what its other voters are asked, once for each node.
func (c *Core) askVoters(asks map[NodeID][]Followed, g *group, voters []uint64) {
	for _, v := range voters {
		n := ReplicaID(v).Node()
		if ts := asks[n]; n != c.cfg.Node && (len(ts) == 0 || ts[len(ts)-1].Shard != g.shard) {
			asks[n] = append(ts, Followed{Shard: g.shard, Term: g.term})
		}
	}
}

// ReceiveFence takes a question or an answer that came from another node.
func (c *Core) ReceiveFence(from NodeID, f Fence) {
	if f.Answer {
		c.answered(from, f)
	} else {
		c.answerFence(from, f)
	}
}

// answerFence says of which shards this node's replicas follow in the terms that
// are asked about. One that is in a later term says nothing: it may have voted in
// it. Nor does one that is being replaced by a snapshot. If that leaves nothing to
// say, who asks need not wait to learn it.
func (c *Core) answerFence(from NodeID, question Fence) {
	var terms []Followed
	for _, t := range question.Terms {
		g := c.groups[t.Shard]
		if g == nil || g.frozen() || g.leads(t.Term) {
			continue
		}
		if g.is().term == t.Term {
			terms = append(terms, Followed{t.Shard, t.Term, g.id})
		}
	}
	c.fences.counts.Refused += uint64(len(question.Terms) - len(terms))
	c.fences.put(from, Fence{Answer: true, Number: question.Number, Terms: terms})
}

// answered takes an answer. It says something of the time after its question was
// asked, so barriers that came later have nothing of it.
func (c *Core) answered(from NodeID, answer Fence) {
	f := &c.fences
	if answer.Number > f.number {
		return // nobody asked
	}
	for _, t := range answer.Terms {
		g := c.groups[t.Shard]
		if g != nil && g.open && g.term == t.Term && t.Replica.Node() == from {
			g.barriers.follow(t.Replica, answer.Number)
			c.confirm(g)
		}
	}
	delete(f.mute, from)
	if answer.Number == f.number {
		delete(f.missing, from)
		c.endQuestion()
	}
}

// endQuestion lets the next question be asked when everybody has answered the
// last one from whom an answer is to be expected, or nobody waits for it.
func (c *Core) endQuestion() {
	f := &c.fences
	waits := f.awaited()
	for n := range f.missing {
		if waits && !f.mute[n] {
			return
		}
	}
	c.giveUp()
}

func (c *Core) giveUp() {
	f := &c.fences
	clear(f.about)
	f.about = f.about[:0]
}

// tickFences gives the last question up when it has not been answered for long.
func (c *Core) tickFences() {
	f := &c.fences
	if len(f.about) > 0 && c.ticks-f.asked >= fenceTicks {
		f.counts.Late += uint64(len(f.missing))
		f.mute = f.missing
		c.giveUp()
	}
}

// askLater asks about a group again that was not answered for long: the question or
// an answer was lost, or too few followed.
func (c *Core) askLater(g *group) {
	if b := &g.barriers; len(b.asked) > 0 && c.ticks-b.since >= fenceTicks {
		c.fences.wait(g)
	}
}
