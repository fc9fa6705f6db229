package placement

import (
	"sync"
	"time"

	"ssod/cluster"
)

// leases is what the leader of the meta shard knows of the others' right to serve;
// cluster/placement/DESIGN.md#the-right-to-serve.
type leases struct {
	mu sync.Mutex
	// asked is when each node's last request for news arrived.
	asked map[NodeID]time.Time
	// made is a revision of each table and a time by which it was committed.
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

// ask notes a request before it is answered. The node counts from an earlier time, when it
// asked.
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

// commit returns a time by which a revision of a table was committed: the first at which
// it, or a later one, was to be spread.
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

// removedFor is how long this process has known that a node was removed.
func (l *leases) removedFor(n NodeID) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	if at, known := l.gone[n]; known {
		return time.Since(at)
	}
	return 0
}

// leaseMargin is waited in addition to a lease. Monotonic clocks do not drift apart by so
// much in ten seconds.
const leaseMargin = 500 * time.Millisecond

const (
	// forgetAfter is how long after this process learned of its removal a node certainly
	// has no lease: a leader that had not applied the removal would have been replaced.
	forgetAfter = time.Minute
	// longGone is the age of a removal for which the wall clock is trusted.
	longGone = time.Hour
)

// leaseOver is when a node has no lease any more that it got without what was committed by
// a time. Later leaders grant none without it, this one granted none after the commit, and
// earlier ones none on requests that arrived after this one led.
func (p *Placement) leaseOver(n NodeID, committed time.Time) time.Time {
	from, leads := p.leadsMetaSince()
	return lastWithout(committed, from, p.leases.lastAsked(n), leads).Add(p.cfg.Lease + leaseMargin)
}

// lastWithout is an upper bound of the last request of a node that was answered without what
// was committed by a time. This node was last asked at asked, and leads since from, if it
// does.
func lastWithout(committed, from, asked time.Time, leads bool) time.Time {
	if !leads {
		return committed
	}
	return earlier(committed, later(from, asked))
}

// leadsMetaSince is when this node noticed that it leads the meta shard, if it does.
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
