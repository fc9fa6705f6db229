package sim

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/anishathalye/porcupine"

	"ssod/cluster/replica/core"
	"ssod/persistence"
)

// deadline is how long a client tries; what it has not heard of by then may or
// may not have happened.
const deadline = 10 * time.Second

// client does one operation after the other.
type client struct {
	w       *world
	id      int
	answers int
	stop    bool
	current *operation
	// A request has two steps on the same entity, as a flow over several
	// entities has.
	request persistence.RequestID
	step    uint32
	entity  core.Entity
	shard   core.ShardID
}

// operation is one step of a request: put a value into a register and get the
// one before, or read it.
type operation struct {
	shard   core.ShardID
	entity  core.Entity
	read    bool
	value   string
	request persistence.RequestID
	step    uint32

	call    int64
	give    instant // up
	done    bool
	attempt int
}

// history is what clients saw.
type history struct {
	ops           []porcupine.Operation
	ticks         int64
	tags          int
	changed, read int
}

// now orders calls and returns, also those at the same time.
func (h *history) stamp() int64 {
	h.ticks++
	return h.ticks
}

func newClient(w *world, id int) *client {
	c := &client{w: w, id: id}
	w.after(w.between(0, time.Second), c.next)
	return c
}

// next starts an operation.
func (c *client) next() {
	if c.stop {
		return
	}
	op := c.operation()
	c.current = op
	op.call, op.give = c.w.stamp(), c.w.now+deadline
	c.try(op)
	c.w.after(deadline, func() { c.expire(op) })
}

func (c *client) operation() *operation {
	w := c.w
	if c.step == 1 { // the second step of the request
		c.step = 2
	} else {
		c.shard = w.shards[w.rand.IntN(len(w.shards))]
		c.entity = entities[w.rand.IntN(len(entities))]
		if w.chance(0.4) {
			return &operation{shard: c.shard, entity: c.entity, read: true}
		}
		c.step = 1
		binary.BigEndian.PutUint64(c.request[:], w.rand.Uint64())
		binary.BigEndian.PutUint64(c.request[8:], w.rand.Uint64())
	}
	w.tags++
	return &operation{
		shard: c.shard, entity: c.entity, request: c.request, step: c.step - 1,
		value: fmt.Sprintf("c%d-%d", c.id, w.tags),
	}
}

// try sends the operation to a node that claims to lead the shard.
func (c *client) try(op *operation) {
	w := c.w
	if op.done || w.now >= op.give {
		return
	}
	op.attempt++
	n := op.attempt
	retry := func() {
		if !op.done && op.attempt == n {
			w.after(w.between(time.Millisecond, 100*time.Millisecond), func() { c.try(op) })
		}
	}
	o := c.choose(op.shard)
	if o == nil {
		retry()
		return
	}
	life := o.n.life
	t := &attempt{op: op, reply: func(answer string, err error) {
		if err != nil {
			retry()
			return
		}
		w.after(w.between(0, time.Millisecond), func() { c.finish(op, answer) })
	}}
	d := w.between(0, time.Millisecond)
	if op.read && w.vouches {
		word, more := w.ask(op.shard)
		t.word, d = word, d+more
	}
	w.after(d, func() {
		if o.n.core != nil && o.n.life == life {
			o.receive(t)
		}
	})
	// Nothing may come back, so try again some time.
	w.after(w.between(time.Second, 3*time.Second), retry)
}

// choose returns one of the owners that believe to own the shard.
func (c *client) choose(shard core.ShardID) *owner {
	var os []*owner
	for _, id := range c.w.ids {
		n := c.w.nodes[id]
		if n.core != nil && n.owners[shard] != nil {
			os = append(os, n.owners[shard])
		}
	}
	if len(os) == 0 {
		return nil
	}
	return os[c.w.rand.IntN(len(os))]
}

// finish takes an operation's answer.
func (c *client) finish(op *operation, answer string) {
	if op.done {
		return
	}
	op.done = true
	c.answers++
	if op.read {
		c.w.history.read++
	} else {
		c.w.changed++
	}
	c.record(op, answer, c.w.stamp())
	c.w.after(c.w.between(0, c.w.think), c.next)
}

// expire gives an operation up. A change may still happen, at any time.
func (c *client) expire(op *operation) {
	if op.done {
		return
	}
	op.done = true
	if !op.read {
		c.record(op, unknownAnswer, math.MaxInt64)
	}
	c.step = 0
	c.next()
}

const unknownAnswer = "?"

func (c *client) record(op *operation, answer string, end int64) {
	c.w.ops = append(c.w.ops, porcupine.Operation{
		ClientId: c.id, Input: op, Output: answer, Call: op.call, Return: end,
	})
}

// register is what an entity is to its clients.
var register = porcupine.Model{
	Partition: partition,
	Init:      func() any { return "" },
	Step: func(state, input, output any) (bool, any) {
		op := input.(*operation)
		ok := output.(string) == unknownAnswer || output.(string) == state.(string)
		if op.read {
			return ok, state
		}
		return ok, op.value
	},
}

func partition(ops []porcupine.Operation) [][]porcupine.Operation {
	type key struct {
		shard  core.ShardID
		entity core.Entity
	}
	var parts [][]porcupine.Operation
	at := map[key]int{}
	for _, o := range ops {
		op := o.Input.(*operation)
		k := key{op.shard, op.entity}
		i, ok := at[k]
		if !ok {
			i = len(parts)
			at[k] = i
			parts = append(parts, nil)
		}
		parts[i] = append(parts[i], o)
	}
	return parts
}

// checkHistory: what the clients saw is what one register after the other, used
// by one client at a time, could have shown them. A change that was not answered
// and that no node applied did not happen; leaving it out makes the search short.
func (w *world) checkHistory() {
	for _, c := range w.clients {
		if op := c.current; op != nil && !op.done && !op.read {
			c.record(op, unknownAnswer, math.MaxInt64) // it may have happened
		}
	}
	ops := slices.DeleteFunc(w.ops, func(o porcupine.Operation) bool {
		return o.Output == unknownAnswer && !w.values[o.Input.(*operation).value]
	})
	switch porcupine.CheckOperationsTimeout(register, ops, 20*time.Second) {
	case porcupine.Illegal:
		w.violate("the history of %d operations is not linearizable", len(ops))
	case porcupine.Unknown:
		w.unchecked = true
	}
}
