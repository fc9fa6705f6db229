package placement

import (
	"sync"
	"time"

	"ssod/cluster"
)

// leases is what the leader of the meta shard knows of the right of others to
// serve; cluster/placement/DESIGN.md#the-right-to-serve.
type leases struct {
	mu sync.Mutex
	// asked is when each node asked last, as of when its question was here.
	asked map[NodeID]time.Time
	// made is a revision of each table that was committed by a certain moment.
	made map[string]commitment
	// gone is when this process learned that a node was removed.
	gone map[NodeID]time.Time
}

type commitment struct {
	revision uint64
	by       time.Time
}

func newLeases() *leases {
	return &leases{asked: map[NodeID]time.Time{}, made: map[string]commitment{}, gone: map[NodeID]time.Time{}}
}

// ask notes a question before it is answered: who asks counts from an earlier
// moment.
func (l *leases) ask(n NodeID) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.asked[n] = time.Now()
}

func (l *leases) lastAsked(n NodeID) time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.asked[n]
}

// commit returns a moment by which a revision of a table was committed: the
// first at which anybody waited for it, or for a later one, to spread.
func (l *leases) commit(table string, revision uint64) time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	c, ok := l.made[table]
	if !ok || c.revision < revision {
		c = commitment{revision, time.Now()}
		l.made[table] = c
	}
	return c.by
}

// remove notes that a node was removed, once.
func (l *leases) remove(n NodeID) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, known := l.gone[n]; !known {
		l.gone[n] = time.Now()
	}
}

// removedFor is for how long this process has known that a node was removed.
func (l *leases) removedFor(n NodeID) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	at, known := l.gone[n]
	if !known {
		return 0
	}
	return time.Since(at)
}

// leaseMargin is how much longer than a lease is waited for it to end. Clocks
// that count time do not differ by so much in ten seconds.
const leaseMargin = 500 * time.Millisecond

const (
	// forgetAfter is how long after its removal, as this process knows it, a node
	// certainly has no lease any more: a leader that had not applied the removal
	// would have been replaced.
	forgetAfter = time.Minute
	// longGone is how old a removal must be to be believed by the clock.
	longGone = time.Hour
)

// leaseOver is when no lease of a node counts any more that did not know what was
// committed by a moment.
//
// Who leads later answers nobody without it. This node answered questions without
// it until it was committed at most. And leaders before this one answered none
// that came after this one led.
func (p *Placement) leaseOver(n NodeID, committed time.Time) time.Time {
	from, leads := p.leadsMetaSince()
	return lastWithout(committed, from, p.leases.lastAsked(n), leads).Add(p.cfg.Lease + leaseMargin)
}

// lastWithout is not before the last question of a node that was answered without
// what was committed by a moment. It asked this node last at another, and this one
// leads since from, if it does and knows. When the node was heard plays no part.
func lastWithout(committed, from, asked time.Time, leads bool) time.Time {
	if !leads {
		return committed
	}
	return earlier(committed, later(from, asked))
}

// leadsMetaSince is since when this node leads the meta shard, if it does and knows.
func (p *Placement) leadsMetaSince() (from time.Time, ok bool) {
	shard, leads := p.engine.Lead(cluster.MetaShard)
	r := p.metaLead.Load()
	if !leads || r == nil || r.term != shard.Term() {
		return from, false
	}
	return r.from, true
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
