package sim

import (
	"errors"
	"fmt"
	"time"

	"ssod/cluster/replica/core"
	"ssod/persistence"
)

// entities are what clients work on; each shard has all of them.
var entities = []core.Entity{{Kind: "register", Identity: "a"}, {Kind: "register", Identity: "b"}}

// part is the record beside each entity's head; it has the same content.
const part = "copy"

// owner is the actors of a shard on one node in one term, and behaves as the
// actor runtime does: it keeps entities in memory, has one commit of each in
// flight, looks a request up before it decides, takes a barrier before it reads
// and ends with the term.
type owner struct {
	n      *node
	shard  core.ShardID
	term   uint64
	era    uint64
	base   uint64 // what was applied when it began
	over   bool
	actors map[core.Entity]*actor
}

// actor is one entity in memory.
type actor struct {
	rev     uint64
	value   string
	busy    bool
	mailbox []*attempt
}

// attempt is one try of a client's operation at one owner.
type attempt struct {
	op    *operation
	word  word // what a read came with
	reply func(answer string, err error)
}

// errRetry tells the client to try again.
var errRetry = errors.New("retry")

// lead follows the shards that the node leads.
func (n *node) lead(ls []core.Leadership) {
	for _, l := range ls {
		n.w.checkLeader(n, l)
		n.views[l.Shard] = l
		o := n.owners[l.Shard]
		if o != nil && (!l.Open || l.Term != o.term || l.Era != o.era) {
			o.end()
			delete(n.owners, l.Shard)
			o = nil
		}
		if l.Open && o == nil {
			o = &owner{n: n, shard: l.Shard, term: l.Term, era: l.Era, base: n.store.Applied(l.Shard).Index, actors: map[core.Entity]*actor{}}
			n.owners[l.Shard] = o
			if n.w.opts.Events {
				n.after(n.w.posts.between(0, time.Second), o.deliver)
			}
		}
	}
}

// end answers what waits for an entity; what is in flight the core answers.
func (o *owner) end() {
	o.over = true
	for _, e := range entities {
		if a := o.actors[e]; a != nil {
			for _, t := range a.mailbox {
				t.reply("", errRetry)
			}
			a.mailbox = nil
		}
	}
}

// actor returns the entity, loaded from disk if need be.
func (o *owner) actor(e core.Entity) *actor {
	a := o.actors[e]
	if a == nil {
		a = &actor{}
		o.actors[e] = a
		o.load(e, a)
	}
	return a
}

func (o *owner) load(e core.Entity, a *actor) {
	h, _ := o.n.store.Head(o.shard, e)
	a.rev, a.value = h.Rev, string(h.State)
}

// receive takes an operation.
func (o *owner) receive(t *attempt) {
	if o.over || o.n.w.leaps && t.op.done { // given up: its deadline has passed
		t.reply("", errRetry)
		return
	}
	if t.op.read {
		o.read(t)
		return
	}
	a := o.actor(t.op.entity)
	a.mailbox = append(a.mailbox, t)
	o.next(t.op.entity, a)
}

// read answers from memory, after a barrier unless it came with a word.
func (o *owner) read(t *attempt) {
	o.n.input(func(c *core.Core) {
		if o.vouched(t) {
			o.n.w.passed++
			o.n.w.checkFence(o.n, o.shard, o.term, t.word.at)
			t.reply(o.actor(t.op.entity).value, nil)
			return
		}
		asked := o.n.w.now
		c.Barrier(&core.Barrier{Shard: o.shard, Term: o.term, Done: func(err error) {
			if err != nil {
				t.reply("", errRetry)
				return
			}
			o.n.w.checkFence(o.n, o.shard, o.term, asked)
			t.reply(o.actor(t.op.entity).value, nil)
		}})
	})
}

// next starts on the next operation of an entity.
func (o *owner) next(e core.Entity, a *actor) {
	if a.busy || o.over || len(a.mailbox) == 0 {
		return
	}
	t := a.mailbox[0]
	a.mailbox = a.mailbox[1:]
	if o.n.w.leaps && t.op.done {
		t.reply("", errRetry)
		o.next(e, a)
		return
	}
	if result, ok := o.n.store.Outcome(o.shard, e, t.op.request, t.op.step); ok {
		t.reply(splitResult(result), nil)
		o.next(e, a)
		return
	}
	a.busy = true
	o.commit(e, a, t)
}

// commit decides: the register takes the operation's value, the answer is the
// value before.
func (o *owner) commit(e core.Entity, a *actor, t *attempt) {
	o.n.w.tags++
	tag := fmt.Sprintf("%d|%s", o.n.w.tags, a.value)
	c := persistence.Commit{
		Entity: e, BaseRev: a.rev, State: []byte(t.op.value),
		Puts:     []persistence.Record{{Part: part, Value: []byte(t.op.value)}},
		Outcomes: []persistence.Outcome{{Request: t.op.request, Step: t.op.step, Result: []byte(tag)}},
	}
	o.n.w.post(tag, &c)
	o.propose(tag, &c, func(err error) { o.committed(e, a, t, err) })
	// The caller may give up first. The entity is loaded again, and that waits
	// until the commit has ended.
	o.n.after(o.n.w.between(5*time.Millisecond, 5*time.Second), func() { t.reply("", errRetry) })
	if a.rev > 0 && o.n.w.chance(0.02) {
		o.intrude(c)
	}
}

func (o *owner) propose(tag string, c *persistence.Commit, done func(error)) {
	o.n.w.bases[tag] = o.base
	p := &core.Proposal{Shard: o.shard, Term: o.term, Era: o.era, Done: func(err error) {
		if errors.Is(err, core.ErrRejected) || errors.Is(err, core.ErrRefused) {
			o.n.w.mustNot(tag, err)
		}
		done(err)
	}}
	p.Data, p.Commit = core.Encode(c)
	o.n.input(func(c *core.Core) { c.Propose(p) })
}

// intrude commits on a revision that was used, as an actor would that should not
// be there.
func (o *owner) intrude(c persistence.Commit) {
	o.n.w.tags++
	tag := fmt.Sprintf("%d|intruder", o.n.w.tags)
	c.BaseRev--
	c.State = []byte(tag)
	c.Puts = []persistence.Record{{Part: part, Value: []byte(tag)}}
	o.n.w.post(tag, &c)
	c.Outcomes = []persistence.Outcome{{Request: persistence.RequestID{1}, Result: []byte(tag)}}
	o.propose(tag, &c, func(err error) {
		if err == nil {
			o.n.w.violate("commit %s on a revision that was used is applied", tag)
		}
		if errors.Is(err, core.ErrRejected) {
			o.n.w.rejected++
		}
	})
}

func splitResult(tag string) string {
	for i := range tag {
		if tag[i] == '|' {
			return tag[i+1:]
		}
	}
	return ""
}

// committed takes the end of a commit: apply, then answer.
func (o *owner) committed(e core.Entity, a *actor, t *attempt, err error) {
	a.busy = false
	w := o.n.w
	switch {
	case err == nil:
		old := a.value
		a.rev, a.value = a.rev+1, t.op.value
		t.reply(old, nil)
	case errors.Is(err, core.ErrRejected):
		w.rejected++
		o.load(e, a)
		a.mailbox = append([]*attempt{t}, a.mailbox...)
	case errors.Is(err, core.ErrRefused):
		w.refused++
		t.reply("", errRetry)
	default:
		w.unknown++
		delete(o.actors, e)
		for _, m := range a.mailbox {
			m.reply("", errRetry)
		}
		a.mailbox = nil
		t.reply("", errRetry)
	}
	o.next(e, a)
}
