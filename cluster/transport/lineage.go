package transport

import (
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"ssod/cluster/wait"
	"ssod/persistence"
)

// lineage is what this node knows of the starts of another one, to decide which processes
// may be it. It is guarded by the peer's lock.
type lineage struct {
	// met is the start that this node took in last, with those it followed; durable is
	// the newest write that it said is on its disk.
	met     persistence.Boots
	durable uint64
	// registered is the newest start that the registry has.
	registered persistence.Boot
}

// judge refuses a data directory that was copied from the one that this node knows before
// that one last started or wrote.
func (l *lineage) judge(g *greeting) error {
	switch {
	case !g.boots.Follow(l.registered):
		return fmt.Errorf("%w: it lacks start %d, which is registered", ErrOlder, l.registered.Number)
	case !l.counts():
		return nil
	case !g.boots.Follow(l.met.Last()):
		return fmt.Errorf("%w: it lacks start %d, which was connected", ErrOlder, l.met.Last().Number)
	case g.durable < l.durable && (g.first || !l.is(g)):
		return fmt.Errorf("%w: it ends at write %d, and %d was acknowledged", ErrOlder, g.durable, l.durable)
	}
	return nil
}

// is reports whether g is of the incarnation that was met last.
func (l *lineage) is(g *greeting) bool { return l.counts() && l.met.Last() == g.boots.Last() }

// counts reports whether the start that was met is not older than the registered one.
func (l *lineage) counts() bool { return l.met.Number > 0 && l.met.Follow(l.registered) }

// next is the lineage after a new incarnation is taken in.
func (l *lineage) next(g *greeting) lineage {
	n := lineage{met: g.boots}
	if l.counts() {
		n.durable = l.durable
	}
	if g.first {
		n.durable = g.durable
	}
	return n
}

func (l *lineage) encode() []byte {
	return binary.BigEndian.AppendUint64(l.met.Append(nil), l.durable)
}

// ReadNote reads what [Config.Note] kept of another node: its newest start, and the newest
// write that it said is on its disk.
func ReadNote(note []byte) (start persistence.Boot, durable uint64, err error) {
	l, err := decodeLineage(note)
	return l.met.Last(), l.durable, err
}

func decodeLineage(note []byte) (l lineage, err error) {
	var rest []byte
	if l.met, rest, err = persistence.CutBoots(note); err != nil {
		return l, err
	}
	if len(rest) != 8 {
		return l, fmt.Errorf("%w: %d bytes behind the starts", persistence.ErrDamaged, len(rest))
	}
	l.durable = binary.BigEndian.Uint64(rest)
	return l, nil
}

// era is the time in which one incarnation of a node counts as the node. Its connections
// end with it.
type era struct {
	context.Context
	end context.CancelFunc
}

func newEra(within context.Context) era {
	ctx, end := context.WithCancel(within)
	return era{ctx, end}
}

// admit takes in the incarnation that greets and returns its era, or refuses it. A new
// incarnation is noted on disk before anything of it counts.
func (p *peer) admit(g *greeting) (era, error) {
	p.admitting.Lock()
	defer p.admitting.Unlock()
	p.mu.Lock()
	before, in := p.lineage, p.living()
	p.mu.Unlock()
	why := before.judge(g)
	if why == nil && before.is(g) {
		if g.first {
			p.progress(g.durable)
		}
		return p.era(), nil
	}
	if in != nil {
		if err := p.contest(in, g, why); err != nil {
			return era{}, err
		}
	}
	if why != nil {
		p.copies.Add(1)
		return era{}, why
	}
	return p.begin(before.next(g))
}

// begin ends the era of the incarnation before, of which nothing is delivered afterwards,
// and begins a new one.
func (p *peer) begin(next lineage) (era, error) {
	if err := p.n.cfg.Note(p.id, next.encode(), true); err != nil {
		return era{}, err
	}
	p.era().end()
	p.hangUp()
	p.idle.drop()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.lineage.met, p.lineage.durable, p.noted = next.met, next.durable, next.durable
	p.current, p.doubt = newEra(p.ctx), doubt{}
	return p.current, nil
}

func (p *peer) era() era {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.current
}

// living is the connection that the node dialed, nil if it has ended or its era
// has. The caller holds the lock.
func (p *peer) living() *incoming {
	if p.incoming == nil || p.current.Err() != nil {
		return nil
	}
	select {
	case <-p.incoming.done:
		return nil
	default:
		return p.incoming
	}
}

// doubt is whether a connected incarnation is alive although another one comes.
type doubt struct {
	about   *incoming
	because persistence.Boot // of the other one
	since   time.Time
}

// contest decides between the connected incarnation and another one, which is refused for
// why if that is not nil. Within [Config.Silence] the connection ends, stays silent, or
// something arrives over it; until then the other one is told to come again. If the
// connected one is alive both are told. nil: it is gone.
func (p *peer) contest(in *incoming, g *greeting, why error) error {
	since := p.doubtSince(in, g.boots.Last())
	switch {
	case p.lastHeard().After(since.Add(p.n.cfg.Ping)):
		p.trust()
		p.copies.Add(1)
		in.copied.Store(&g.from.Addr)
		return fmt.Errorf("%w, at %s: %v", ErrTwice, in.addr, cmp.Or(why, errGoesOn))
	case time.Since(since) < p.n.cfg.Silence:
		return fmt.Errorf("%w: checking whether the process at %s is still there", ErrBusy, in.addr)
	}
	return nil
}

// doubtSince is since when a connection is in doubt because of another incarnation, which
// comes repeatedly.
func (p *peer) doubtSince(in *incoming, because persistence.Boot) time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	d := &p.doubt
	if d.about != in || d.because != because || time.Since(d.since) > 2*p.n.cfg.Silence {
		*d = doubt{in, because, time.Now()}
	}
	return d.since
}

func (p *peer) trust() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.doubt = doubt{}
}

// errGoesOn says that the incarnation before has not ended.
var errGoesOn = errors.New("that one has not ended")

// progress notes the newest write on the node's disk.
func (p *peer) progress(durable uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.lineage.durable = max(p.lineage.durable, durable)
}

// register notes the start that the registry has. An incarnation that does not follow it
// is not the node any more.
func (p *peer) register(b persistence.Boot) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if b.Number < p.lineage.registered.Number {
		return
	}
	p.lineage.registered = b
	if p.lineage.met.Number > 0 && !p.lineage.counts() {
		p.current.end()
	}
}

// noteEvery is how often the progress of others is noted.
const noteEvery = 5 * time.Second

// noteAll notes the progress of the others, for after a restart of all nodes.
func (n *Network) noteAll() {
	for open := true; open; {
		open = wait.Pause(n.ctx, noteEvery) == nil
		for _, p := range n.all() {
			if err := p.note(); err != nil {
				n.cfg.Log.Warn("the progress of a node is not noted", "node", p.name, "error", err)
			}
		}
	}
}

// all are the peers; the lock is not held while they are used.
func (n *Network) all() []*peer {
	n.mu.RLock()
	defer n.mu.RUnlock()
	return slices.Collect(maps.Values(n.peers))
}

// note notes the node's progress if there is any.
func (p *peer) note() error {
	p.admitting.Lock()
	defer p.admitting.Unlock()
	p.mu.Lock()
	now, news := p.lineage, p.lineage.durable > p.noted
	p.noted = p.lineage.durable
	p.mu.Unlock()
	if !news {
		return nil
	}
	return p.n.cfg.Note(p.id, now.encode(), false)
}

// Registered notes the start of a node that the registry has.
func (n *Network) Registered(id NodeID, b persistence.Boot) {
	if p := n.peer(id); p != nil && b.Number > 0 {
		p.register(b)
	}
}

// Introduced reports whether every known node has taken this start in or could not be
// reached. One that has not decided yet counts as neither.
func (n *Network) Introduced() bool {
	return !slices.ContainsFunc(n.all(), func(p *peer) bool { return !p.asked.Load() })
}

// readNotes reads the notes of other nodes from before this start.
func readNotes(notes map[NodeID][]byte) (map[NodeID]lineage, error) {
	all := make(map[NodeID]lineage, len(notes))
	for id, note := range notes {
		l, err := decodeLineage(note)
		if err != nil {
			return nil, fmt.Errorf("note of node %d: %w", id, err)
		}
		all[id] = l
	}
	return all, nil
}
