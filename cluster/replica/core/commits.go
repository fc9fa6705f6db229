package core

import (
	"errors"
	"slices"

	"ssod/persistence"
)

// How a commit ends when it is not applied, see package cluster.
var (
	// ErrRefused: it is not written and never will be.
	ErrRefused = errors.New("refused")
	// ErrUnknown: the leadership ended while it was in the log.
	ErrUnknown = errors.New("outcome unknown")
	// ErrRejected: it was decided on another revision of the entity.
	ErrRejected = persistence.ErrRevision
	// ErrLost: the leadership that a barrier was asked under is over.
	ErrLost = errors.New("leadership lost")
)

// Proposal is a commit on its way.
type Proposal struct {
	Shard ShardID
	// Term and Era are the leadership that the commit was decided under.
	Term, Era uint64
	// Data and Commit are the results of [Encode]. Without Commit Data is decoded.
	Data   []byte
	Commit *persistence.Commit
	// Done is called once, by the core's goroutine, with nil when the commit is
	// applied, else with ErrRejected, ErrRefused or ErrUnknown.
	Done func(error)
}

// commits are a group's commits that are not answered yet.
type commits struct {
	queue []*Proposal // not in the log; certainly not written
	bytes int         // of the queue
	// inflight has one element per entry that was proposed in this term, in log
	// order, which is the order in which they are applied as long as it leads.
	inflight [][]*Proposal
	handed   int // of inflight were handed out for application
}

// end answers all of them because the term is over.
func (q *commits) end() {
	q.endInflight()
	answer(q.queue, ErrRefused)
	*q = commits{}
}

// refuse answers those that are not in the log.
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

// take removes proposals of at most limit bytes, and at least one, from the queue.
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

// Propose queues a commit for the next round. It is refused at once when the term is
// over, no majority is heard, too much waits already, or the cluster's format level is too
// low for it.
func (c *Core) Propose(p *Proposal) {
	g := c.groups[p.Shard]
	if g == nil || p.Commit != nil && eventful(p.Commit) && c.cfg.Level() < eventsLevel || !g.open || g.term != p.Term || g.noQuorum > 0 || g.commits.bytes+len(p.Data) > c.cfg.MaxQueue || c.outdated(g, p) {
		p.Done(ErrRefused)
		return
	}
	g.commits.queue = append(g.commits.queue, p)
	g.commits.bytes += len(p.Data)
	c.mark(g)
}

// pack proposes what is queued. During a transfer of the lead it waits until the term
// ends, or until a tick after the transfer was aborted; behind entries in flight, until
// the first of these is applied.
func (c *Core) pack(g *group) {
	switch {
	case len(g.commits.queue) == 0, g.commits.waits(), g.transferring():
	case !c.timely(g):
		g.commits.refuse()
	default:
		c.propose(g)
	}
}

// Two entries of a shard in flight keep disks and network busy: one is written while
// the other travels. More of them would only be smaller, and each costs two messages
// and their answers. A queue of longQueue bytes does not wait: two at a time would be
// too slow for it.
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
		if !g.open || g.raft().Propose(data) != nil {
			answer(ps, ErrRefused)
			continue
		}
		g.commits.inflight = append(g.commits.inflight, ps)
	}
}

// encode packs an entry, which is valid until the next one is packed: raft copies it.
func (c *Core) encode(g *group, ps []*Proposal) []byte {
	data := packEntry(c.entry[:0], entryAt(c.cfg.Level()), ps[0].Term, c.stamp(g), ps)
	if cap(data) <= spareEntry {
		c.entry = data
	}
	return data
}

// spareEntry is how much room is kept for packing entries.
const spareEntry = 64 << 10

// applied answers the first entry in flight, which was void if dropped.
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

func answerEach(ps []*Proposal, rejected []error) {
	for i, p := range ps {
		if rejected == nil {
			p.Done(nil)
		} else {
			p.Done(rejected[i])
		}
	}
}
