package actors

import (
	"sync"

	"ssod/cluster"
)

// leadership is one term in which this node leads a shard, with the entities that are
// active in it. Entities of one term are never used in another.
type leadership struct {
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

func newLeadership(s *shard, handle cluster.Shard) *leadership {
	l := &leadership{
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
func (l *leadership) over() bool {
	select {
	case <-l.lost:
		return true
	default:
		return false
	}
}

// admit finds the turn's entity, activating it if necessary, and counts the command in
// flight for it. From then on the entity stays until the command is answered, so no
// message reaches an entity that is leaving.
func (l *leadership) admit(t *Turn, p target) answer {
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

// enter counts the command. Its wait is measured if others wait too, for the entity's
// pace, or if it is sampled, for the node's pace and the metric.
func (l *leadership) enter(t *Turn, a *activation) {
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

func (l *leadership) find(p target) *activation {
	a := l.entities[p.hash]
	for a != nil && (a.identity != p.identity || a.kind != p.kind) {
		a = a.next
	}
	return a
}

// spawn makes an entity active, or returns nil when the node holds too many.
// The entity loads its state at its first command.
func (l *leadership) spawn(p target) *activation {
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
func (l *leadership) retire(a *activation) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed || a.queue.depth.Load() != 0 {
		return false
	}
	l.remove(a)
	return true
}

func (l *leadership) remove(a *activation) {
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

// close turns new commands away and has every entity stop when its commands are
// answered.
func (l *leadership) close() {
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
func (l *leadership) forward(t *Turn) {
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

func (l *leadership) fenced(t *Turn) bool {
	return t.state.fence == wanted || t.entity.kind.Fenced != nil && t.entity.kind.Fenced(t.command)
}
