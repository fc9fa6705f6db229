package actors

import "ssod/cluster"

// load makes the entity and lets it read its state.
func (a *activation) load(t *Turn) (code Code) {
	code = Code_FAILED
	defer a.settled()
	defer a.guard(t)
	id, err := DecodeIdentity(a.identity)
	if err != nil {
		return Code_UNAVAILABLE
	}
	for range maxLoads {
		e := a.kind.New(id)
		r := loading{Reader: a.lead.handle, at: timesOf(a.lead.handle), self: a.target.entity()}
		rev, stable, err := r.load(e)
		if err != nil {
			a.report(t, "entity cannot be loaded", "error", err)
			return Code_UNAVAILABLE
		}
		if stable {
			a.entity, a.rev = e, rev
			a.weigh(r.size)
			a.loads++
			return Code_OK
		}
	}
	return Code_UNAVAILABLE
}

// maxLoads bounds how often an entity is read again because a commit was
// applied meanwhile.
const maxLoads = 8

// loading is the Reader an entity loads from. It notes the revision of the
// entity's head, so that the head is read once.
type loading struct {
	cluster.Reader
	at      Times
	self    cluster.Entity
	rev     uint64
	size    int  // of the state in the head
	known   bool // the head was read
	several bool // other reads of the entity must agree with the head
}

// load reads the entity's state. It is not stable when a commit of unknown outcome is
// applied between two reads.
func (l *loading) load(e Entity) (rev uint64, stable bool, err error) {
	if err := e.Load(l); err != nil {
		return 0, false, err
	}
	if l.known && !l.several {
		return l.rev, true, nil
	}
	first := l.known
	before := l.rev
	if _, _, err := l.Head(l.self); err != nil {
		return 0, false, err
	}
	return l.rev, !first || before == l.rev, nil
}

func (l *loading) Times() Times { return l.at }

func (l *loading) Head(e cluster.Entity) (cluster.Head, bool, error) {
	h, ok, err := l.Reader.Head(e)
	if e == l.self && err == nil {
		l.rev, l.size, l.known = h.Rev, len(h.State), true
		if !ok {
			l.rev = 0
		}
	}
	return h, ok, err
}

func (l *loading) Records(e cluster.Entity, f func(part, value []byte) bool) error {
	l.several = l.several || e == l.self
	return l.Reader.Records(e, f)
}
