package core

import (
	"maps"
	"slices"
)

// Fence is a question to another node, or its answer: do your replicas of these shards
// still follow in these terms? cluster/replica/DESIGN.md#fences says what an answer proves.
type Fence struct {
	// Answer: those in Terms do. Else Terms are the question.
	Answer bool
	// Number is that of the question. An answer repeats it.
	Number uint64
	Terms  []Followed
}

// Followed is the term of a shard that a replica follows in. A question names no
// replica: it is for the one that the node has.
type Followed struct {
	Shard   ShardID
	Term    uint64
	Replica ReplicaID
}

// fences are the questions of this node and its answers.
type fences struct {
	// number is that of the last question.
	number uint64
	// waiting are the groups of the next question.
	waiting []*group
	// about are the groups of the last question while it is under way, asked is the
	// tick at which it left, and missing are the nodes that have not answered it.
	about   []*group
	asked   uint64
	missing map[NodeID]bool
	// mute are the nodes that had not answered when the last question was given up.
	mute map[NodeID]bool
	out  map[NodeID][]Fence

	counts FenceCounts
}

// FenceCounts are what became of fences since the core was made.
type FenceCounts struct {
	// Asked are questions, each to all nodes that it concerns, and Barriers the
	// barriers that their answers let pass.
	Asked, Barriers uint64
	// Late are answers that were missing when their question was given up, and Refused
	// the shards that this node was asked about and did not follow in that term.
	Late, Refused uint64
}

// FenceCounts counts fences.
func (c *Core) FenceCounts() FenceCounts { return c.fences.counts }

// fenceTicks is after how many ticks a question is repeated: frames may be lost.
const fenceTicks = 2

// wait adds a group to the next question.
func (f *fences) wait(g *group) {
	if !slices.Contains(f.waiting, g) {
		f.waiting = append(f.waiting, g)
	}
}

// due reports whether a question is to be asked. Only one is under way, so that more
// barriers share it when more wait.
func (f *fences) due() bool { return len(f.waiting) > 0 && !f.awaited() }

// awaited reports whether barriers wait for the last question.
func (f *fences) awaited() bool {
	return slices.ContainsFunc(f.about, func(g *group) bool { return len(g.barriers.asked) > 0 })
}

func (f *fences) put(to NodeID, fence Fence) {
	if f.out == nil {
		f.out = make(map[NodeID][]Fence)
	}
	f.out[to] = append(f.out[to], fence)
}

// question asks the voters of all waiting groups, each node once.
func (c *Core) question() {
	f := &c.fences
	if !f.due() {
		return
	}
	f.number++
	f.counts.Asked++
	c.giveUp()
	asks := make(map[NodeID][]Followed)
	for _, g := range f.waiting {
		if !g.barriers.number(f.number, c.ticks) {
			continue // all were answered meanwhile
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

// askVoters adds a group to the questions to the nodes of its other voters.
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

// answerFence answers for the replicas that follow in the terms of the question, even
// if there are none. One in a later term may have voted in it, and one that is frozen
// says nothing either.
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

// answered takes an answer, which confirms only barriers that began before its question.
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

// endQuestion ends the question when all nodes that are not mute have answered it, or
// no barrier waits for it.
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

// tickFences gives up the last question after [fenceTicks].
func (c *Core) tickFences() {
	f := &c.fences
	if len(f.about) > 0 && c.ticks-f.asked >= fenceTicks {
		f.counts.Late += uint64(len(f.missing))
		f.mute = f.missing
		c.giveUp()
	}
}

// askLater asks about a group again when the question or an answer was lost, or too few
// followed.
func (c *Core) askLater(g *group) {
	if b := &g.barriers; len(b.asked) > 0 && c.ticks-b.since >= fenceTicks {
		c.fences.wait(g)
	}
}
