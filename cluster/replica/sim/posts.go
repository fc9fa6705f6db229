package sim

import (
	"fmt"
	"time"

	"ssod/cluster/replica/core"
	"ssod/cluster/replica/internal/planted"
	"ssod/persistence"
)

// posts is what has become of events. Each commit of a register has one, the leader of its
// shard tells the receiver in the order of commits, and marks what it has told: nothing is
// told of a commit that did not happen, and nothing ends untold, whoever crashes when.
type posts struct {
	clock                           // draws
	posted, told    map[string]bool // by tag of the commit
	newest          map[tellsOf]uint64
	delivered       map[eventKey]bool
	first, repeated int
}

// tellsOf is an entity of a shard.
type tellsOf struct {
	shard  core.ShardID
	entity string
}

type eventKey struct {
	shard core.ShardID
	key   persistence.EventKey
}

// postLevel is the first format level with events.
const postLevel = 2

const receiver = 1

func newPosts(clock clock) posts {
	return posts{
		clock: clock, posted: map[string]bool{}, told: map[string]bool{},
		newest: map[tellsOf]uint64{}, delivered: map[eventKey]bool{},
	}
}

// post adds an event to a commit.
func (w *world) post(tag string, c *persistence.Commit) {
	if w.opts.Events {
		body := fmt.Sprintf("%d %s %s", c.BaseRev+1, c.Entity.Identity, tag)
		c.Events = []persistence.Event{{Receiver: receiver, Body: []byte(body)}}
	}
}

// deliver tells the receiver what waits and then marks it, again and again.
func (o *owner) deliver() {
	if o.over {
		return
	}
	w := o.n.w
	var c persistence.Commit
	for _, k := range o.n.store.Events(o.shard, persistence.EventQueue) {
		if len(c.Marks) == 16 || w.posts.chance(0.01) { // the receiver does not answer
			break
		}
		c.Marks = append(c.Marks, persistence.Mark{Key: k})
	}
	if len(c.Marks) == 0 {
		o.n.after(w.posts.between(10*time.Millisecond, time.Second), o.deliver)
		return
	}
	if w.opts.Planted.Has(planted.MarkedBeforeTold) {
		o.mark(&c)
		o.n.after(w.posts.between(0, 30*time.Millisecond), func() { o.tell(c.Marks) })
		return
	}
	o.tell(c.Marks)
	o.n.after(w.posts.between(0, 30*time.Millisecond), func() { o.mark(&c) })
}

func (o *owner) tell(marks []persistence.Mark) {
	for _, m := range marks {
		if body, ok := o.n.store.Event(o.shard, m.Key); ok {
			o.n.w.tell(o.n, o.shard, m.Key, body)
		}
	}
}

func (o *owner) mark(c *persistence.Commit) {
	p := &core.Proposal{Shard: o.shard, Term: o.term, Era: o.era, Done: func(error) {
		o.n.after(o.n.w.posts.between(0, 30*time.Millisecond), o.deliver)
	}}
	p.Data, p.Commit = core.Encode(c)
	o.n.input(func(c *core.Core) { c.Propose(p) })
}

// tell is the receiver.
func (w *world) tell(n *node, shard core.ShardID, k persistence.EventKey, body string) {
	var rev uint64
	var entity, tag string
	if _, err := fmt.Sscan(body, &rev, &entity, &tag); err != nil {
		w.violate("node %d tells %q: %v", n.id, body, err)
	}
	w.posts.delivered[eventKey{shard, k}] = true
	if w.posts.told[tag] {
		w.posts.repeated++
		return
	}
	w.posts.first++
	w.posts.told[tag] = true
	at := tellsOf{shard, entity}
	if want := w.posts.newest[at] + 1; rev != want {
		w.violate("node %d tells of revision %d of %s of shard %d, and %d comes next", n.id, rev, entity, shard, want)
	}
	w.posts.newest[at] = rev
	if !w.posts.posted[tag] {
		w.violate("node %d tells of commit %s, which did not happen", n.id, tag)
	}
}

// checkPosts takes note of a commit that was applied.
func (w *world) checkPosts(n *node, shard core.ShardID, c *persistence.Commit) {
	for _, e := range c.Events {
		var rev uint64
		var entity, tag string
		if _, err := fmt.Sscan(string(e.Body), &rev, &entity, &tag); err != nil {
			w.violate("node %d applies the event %q: %v", n.id, e.Body, err)
		}
		w.posts.posted[tag] = true
	}
	for _, m := range c.Marks {
		if !w.posts.delivered[eventKey{shard, m.Key}] {
			w.violate("node %d ends an event of shard %d that nobody was told", n.id, shard)
		}
	}
}

// untold returns "" when the receiver knows everything.
func (w *world) untold() string {
	for tag := range w.posts.posted {
		if !w.posts.told[tag] {
			return fmt.Sprintf("the receiver was not told of commit %s, %d of %d", tag, len(w.posts.told), len(w.posts.posted))
		}
	}
	return ""
}
