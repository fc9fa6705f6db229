package replica

import (
	"fmt"
	"sync"
	"sync/atomic"

	"ssod/cluster"
	"ssod/cluster/replica/core"
)

// pending is a commit that has a caller.
type pending struct {
	proposal core.Proposal
	entity   cluster.Entity
	done     chan error    // buffered
	ended    chan struct{} // closed at the end if the caller has left
}

var answers = sync.Pool{New: func() any { return make(chan error, 1) }}

func newPending(h *handle, c *cluster.Commit) *pending {
	p := &pending{entity: c.Entity, done: answers.Get().(chan error)}
	p.proposal = core.Proposal{
		Shard: h.shard, Term: h.term, Era: h.era,
		Done: func(err error) {
			p.done <- err
			h.left.end(p)
		},
	}
	p.proposal.Data, p.proposal.Commit = core.Encode(c)
	return p
}

// leave gives up on a commit, unless it has just been answered.
func (h *handle) leave(p *pending, why error) error {
	if err, ok := h.left.add(p); ok {
		return outcome(err)
	}
	return fmt.Errorf("%w: %w", cluster.ErrUnknown, why)
}

// left are the commits whose callers have left. They end with the leadership at the
// latest.
type left struct {
	// count is above zero while any caller is leaving or has left. It is raised before
	// p.done is looked at, and read after p.done is filled.
	count atomic.Int32
	mu    sync.Mutex
	all   map[*pending]struct{}
}

// add notes that p's caller has left. If p is answered already it returns the
// answer instead.
func (l *left) add(p *pending) (answer error, ok bool) {
	l.count.Add(1)
	l.mu.Lock()
	defer l.mu.Unlock()
	select {
	case err := <-p.done:
		l.count.Add(-1)
		return err, true
	default:
	}
	if l.all == nil {
		l.all = make(map[*pending]struct{})
	}
	p.ended = make(chan struct{})
	l.all[p] = struct{}{}
	return nil, false
}

// end notes that p is answered.
func (l *left) end(p *pending) {
	if l.count.Load() == 0 {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, ok := l.all[p]; ok {
		delete(l.all, p)
		close(p.ended)
		l.count.Add(-1)
	}
}

// wait returns when no commit of e is pending whose caller has left.
func (l *left) wait(e cluster.Entity) {
	l.waitFor(func(p *pending) bool { return p.entity == e })
}

func (l *left) waitAll() {
	l.waitFor(func(*pending) bool { return true })
}

func (l *left) waitFor(concerns func(*pending) bool) {
	if l.count.Load() == 0 {
		return
	}
	var waits []chan struct{}
	l.mu.Lock()
	for p := range l.all {
		if concerns(p) {
			waits = append(waits, p.ended)
		}
	}
	l.mu.Unlock()
	for _, w := range waits {
		<-w
	}
}
