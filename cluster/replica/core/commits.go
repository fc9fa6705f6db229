package core

import (
	"errors"
	"slices"

	"ssod/persistence"
)

// How a commit ends when it is not applied. Package cluster documents the
// meaning of each.
var (
	// ErrRefused: certainly not written and never will be.
	ErrRefused = errors.New("refused")
	// ErrUnknown: the leadership ended while the commit was in the log.
	ErrUnknown = errors.New("outcome unknown")
	// ErrRejected: the entity has another revision than the commit was
	// decided on.
	ErrRejected = persistence.ErrRevision
	// ErrLost: the leadership that a barrier was asked under is over.
	ErrLost = errors.New("leadership lost")
)

// Proposal is a commit on its way.
type Proposal struct {
	Shard ShardID
	// Term and Era are the leadership that the commit was decided under.
	Term, Era uint64
	// Data is the commit as [Encode] made it, and Commit what it encodes, sharing
	// its memory. Without Commit Data is decoded.
	Data   []byte
	Commit *persistence.Commit
	// Done is called once, by whoever has the core, with nil when the commit
	// is applied, else with ErrRejected, ErrRefused or ErrUnknown.
	Done func(error)
}

// commits are a group's commits that are not answered yet.
type commits struct {
	queue []*Proposal // not in the log; certainly not written
	bytes int         // of the queue
	// inflight has one element per entry that was proposed in this term, in
	// log order. The leader of a term applies all of its own entries in that
	// order as long as it leads, so the first is the next to be applied.
	inflight [][]*Proposal
	handed   int // of inflight were handed out for application
}

// end answers all of them because the term is over.
func (q *commits) end() {
	q.endInflight()
	answer(q.queue, ErrRefused)
	*q = commits{}
}

// refuse answers what is not in the log.
func (q *commits) refuse() {
	answer(q.queue, ErrRefused)
	q.queue, q.bytes = nil, 0
}

func (q *commits) endInflight() {
	for _, ps := range q.inflight {
		answer(ps, ErrUnknown)
	}
	q.inflight, q.handed = nil, 0
}

// take removes proposals of at most max bytes, and at least one, from the
// queue.
func (q *commits) take(limit int) []*Proposal {
	n, size := 0, 0
	for n < len(q.queue) && (n == 0 || size+len(q.queue[n].Data) <= limit) {
		size += len(q.queue[n].Data)
		n++
	}
	ps := q.queue[:n:n]
	q.queue = q.queue[n:]
	q.bytes -= size
	if len(q.queue) == 0 {
		q.queue = nil
	}
	return ps
}

func answer(ps []*Proposal, err error) {
	for _, p := range ps {
		p.Done(err)
	}
}

// Propose queues a commit for the next round. It is refused at once when the
// term is over, no majority is heard of, or too much waits already.
func (c *Core) Propose(p *Proposal) {
	g := c.groups[p.Shard]
	if g == nil || !g.open || g.term != p.Term || g.silent > 0 || g.commits.bytes+len(p.Data) > c.cfg.MaxQueue || c.outdated(g, p) {
		p.Done(ErrRefused)
		return
	}
	g.commits.queue = append(g.commits.queue, p)
	g.commits.bytes += len(p.Data)
	c.mark(g)
}

// pack proposes what is queued. While raft hands the lead over it takes none:
// what is queued waits until the term ends, or until raft gives the hand-over up,
// which the next tick sees. What waits behind entries that are under way is looked
// at again when the first of these is applied.
func (c *Core) pack(g *group) {
	switch {
	case len(g.commits.queue) == 0, g.commits.waits(), g.handsOver():
	case !c.timely(g):
		g.commits.refuse()
	default:
		c.propose(g)
	}
}

// Two entries of a shard are enough to keep its disks and the network busy: one is
// written while the other is on its way. More would only be smaller ones, and each
// costs two messages and their answers. A queue of longQueue bytes does not wait: it
// would not get through at the pace of two at a time.
const (
	fewEntries = 2
	longQueue  = 64 << 10
)

// waits reports whether what is queued waits for the end of an entry.
func (q *commits) waits() bool { return len(q.inflight) >= fewEntries && q.bytes < longQueue }

// propose proposes what is queued, as many commits as fit in each entry.
func (c *Core) propose(g *group) {
	for len(g.commits.queue) > 0 {
		ps := g.commits.take(c.cfg.MaxEntry)
		data := c.encode(g, ps)
		// Raft appends the entry or returns an error and does not; a term that
		// ended since the commits were queued is seen by observe.
		if !g.open || g.raft().Propose(data) != nil {
			answer(ps, ErrRefused)
			continue
		}
		g.commits.inflight = append(g.commits.inflight, ps)
	}
}

// encode packs an entry, which is valid until the next one is packed: raft takes a
// copy of what is proposed.
func (c *Core) encode(g *group, ps []*Proposal) []byte {
	data := packEntry(c.entry[:0], entryAt(c.cfg.Level()), ps[0].Term, c.stamp(g), ps)
	if cap(data) <= spareEntry {
		c.entry = data
	}
	return data
}

// spareEntry is how much room is kept for packing entries.
const spareEntry = 64 << 10

// applied answers the first entry in flight; dropped says that the entry was
// void.
func (q *commits) applied(dropped bool, rejected []error) {
	if len(q.inflight) == 0 {
		return
	}
	ps := q.inflight[0]
	q.inflight, q.handed = slices.Delete(q.inflight, 0, 1), max(0, q.handed-1) // there are few
	if dropped {
		answer(ps, ErrRefused)
	} else {
		answerEach(ps, rejected)
	}
}

// answerEach answers commits that were applied unless they were rejected.
func answerEach(ps []*Proposal, rejected []error) {
	for i, p := range ps {
		if rejected == nil {
			p.Done(nil)
		} else {
			p.Done(rejected[i])
		}
	}
}
