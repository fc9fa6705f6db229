package actors

import (
	"sync"

	"ssod/cluster"
)

// lease is one term in which this node leads a shard, with the entities that
// are active in it. Entities of an earlier term are never used in a later one.
type lease struct {
	shard   *shard
	runtime *Runtime
	handle  cluster.Shard
	lost    <-chan struct{}
	barrier barrier

	surveyed bool // belongs to the survey

	mu       sync.Mutex
	closed   bool
	entities map[uint64]*activation // by hash; equal hashes are chained
}

func newLease(s *shard, handle cluster.Shard) *lease {
	l := &lease{
		shard:    s,
		runtime:  s.runtime,
		handle:   handle,
		lost:     handle.Lost(),
		entities: make(map[uint64]*activation),
	}
	l.barrier.init(l)
	return l
}

// over reports whether the term has ended.
func (l *lease) over() bool {
	select {
	case <-l.lost:
		return true
	default:
		return false
	}
}

// admit finds the turn's entity, activating it if need be, and counts the command
// in flight for it. From then on the entity stays until the command is answered,
// so no message can meet an entity that is leaving.
func (l *lease) admit(t *Turn, p place) answer {
	if no := l.runtime.room(t.size); no.why != "" && t.origin != owed {
		return p.kind.refuse(no)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return l.shard.answer(Code_NOT_OWNER)
	}
	a := l.find(p)
	if a == nil {
		if a = l.spawn(p); a == nil {
			return p.kind.refuse(refusal{why: refusedEntities})
		}
	}
	if no := a.admits(t.size); no.why != "" && t.origin != owed {
		return p.kind.refuse(no)
	}
	l.enter(t, a)
	return answer{code: Code_OK}
}

// enter counts the command. Its wait is measured if others wait too, for the pace
// of the entity, or if it is one of a few, for the pace of the node and for the
// metric.
func (l *lease) enter(t *Turn, a *activation) {
	r := l.runtime
	t.entity, t.depth, t.crowd = a, a.queue.enter(t.size), r.queue.enter(t.size)
	if t.depth > 1 || t.sampled() {
		t.queued = r.clock()
	}
	if t.depth == 2 {
		a.queue.moved.Store(t.queued)
	}
	a.used.Store(r.ticks.Load())
}

func (l *lease) find(p place) *activation {
	a := l.entities[p.hash]
	for a != nil && (a.identity != p.identity || a.kind != p.kind) {
		a = a.next
	}
	return a
}

// spawn makes an entity active, or returns nil when the node holds too many.
// The entity loads its state at its first command.
func (l *lease) spawn(p place) *activation {
	r := l.runtime
	if int(r.active.Load()) >= r.limits.Active {
		r.makeRoom()
		return nil
	}
	a := newActivation(l, p)
	a.next = l.entities[p.hash]
	l.entities[p.hash] = a
	r.active.Add(1)
	p.kind.metrics.active.Inc()
	return a
}

// retire takes an idle entity out, unless a command was admitted for it.
func (l *lease) retire(a *activation) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed || a.queue.depth.Load() != 0 {
		return false
	}
	l.remove(a)
	return true
}

func (l *lease) remove(a *activation) {
	at := l.entities[a.hash]
	if at == a {
		if a.next == nil {
			delete(l.entities, a.hash)
		} else {
			l.entities[a.hash] = a.next
		}
		return
	}
	for ; at != nil; at = at.next {
		if at.next == a {
			at.next = a.next
			return
		}
	}
}

// close turns new commands away and tells every entity to stop when those it
// has are answered.
func (l *lease) close() {
	l.mu.Lock()
	l.closed = true
	leaving := l.entities
	l.entities = nil
	l.mu.Unlock()
	l.barrier.close()
	for _, a := range leaving {
		for ; a != nil; a = a.next {
			a.post(leave{})
		}
	}
}

// forward passes an admitted turn on to its entity, after a read barrier if the
// command needs one.
func (l *lease) forward(t *Turn) {
	switch {
	case l.barrier.passed():
		t.state.settle(true)
	case t.Fenced() || !l.fenced(t):
	case l.barrier.vouched(t):
		t.state.settle(true)
	default:
		t.caller = nil
		l.barrier.wait(t)
		return
	}
	switch {
	case t.caller != nil && t.entity.runHere(t):
	case t.from != nil && t.brief() && t.entity.runBriefly(t):
	default:
		t.caller = nil
		t.entity.post(t)
	}
}

func (l *lease) fenced(t *Turn) bool {
	return t.state.fence == wanted || t.entity.kind.Fenced != nil && t.entity.kind.Fenced(t.command)
}
