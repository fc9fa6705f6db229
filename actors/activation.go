package actors

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"sync/atomic"
	"time"

	"github.com/asynkron/protoactor-go/actor"
)

// activation is the actor of one entity in one term: a process of protoactor without a
// name in its registry. Its fields belong to the entity's turns, except the atomic ones.
type activation struct {
	target
	mailbox mailbox
	lead    *leadership
	next    *activation // another entity with the same hash; guarded by the leadership
	entity  Entity      // nil: to be loaded
	rev     uint64      // of the entity as loaded or last committed
	open    *Turn       // the deferred turns

	queue    queue         // commands admitted and not answered
	size     atomic.Int32  // approximate memory in bytes
	used     atomic.Uint32 // tick of the last command
	restless atomic.Bool   // wants its Tick
	ticking  atomic.Bool   // a Tick is in the mailbox
	loading  atomic.Bool   // not loaded yet: see admits

	loaded     int64  // time of the first loading, by the runtime's clock
	loads      uint32 // number of loadings
	committing bool   // a commit of Begin is in flight
	leaving    bool   // the term is over
	stopped    bool   // no longer in memory: messages are dropped
}

var (
	_ recipient     = (*activation)(nil)
	_ actor.Process = (*activation)(nil)
)

func newActivation(l *leadership, p target) *activation {
	a := &activation{target: p, lead: l}
	a.mailbox.owner = a
	a.loading.Store(true)
	return a
}

// admits says whether one more command may wait. That nothing is answered before the
// entity is loaded says nothing of its pace: it may have moved here and have much to
// read. Until then only memory bounds how many commands wait, and their deadlines how
// long.
func (a *activation) admits(size int32) refusal {
	r, b := a.lead.runtime, a.kind.bound
	if !a.loading.Load() {
		return a.queue.admits(b, size, r.clock)
	}
	if a.queue.overfull(b, size) {
		return refusal{refusedBytes, b.wait}
	}
	return refusal{}
}

// settled notes the end of the first loading, which the commands in the queue waited for.
func (a *activation) settled() {
	if !a.loading.Load() {
		return
	}
	a.loaded = a.lead.runtime.clock()
	a.queue.moved.Store(a.loaded)
	a.queue.before.Store(a.queue.depth.Load() - 1) // without the command that loads it
	a.loading.Store(false)
}

// Messages of the runtime to an activation, besides turns.
type (
	leave struct{}
	tick  struct{ retire bool }
)

// ownBytes is the memory of an idle entity without its identity and encoded state
// (BenchmarkIdleEntity): the actor with its mailbox, its entry in the table and the
// kind's own struct. While the entity is used its decoded state comes on top.
const ownBytes = 352

// weigh accounts for the length of an entity's encoded state.
func (a *activation) weigh(state int) {
	size := int32(ownBytes + len(a.identity) + state)
	a.lead.runtime.bytes.Add(int64(size - a.size.Swap(size)))
}

// SendUserMessage posts a message to the entity; it never blocks.
func (a *activation) SendUserMessage(_ *actor.PID, message any) { a.post(message) }

// SendSystemMessage does nothing: the runtime supervises its entities itself.
func (a *activation) SendSystemMessage(*actor.PID, any) {}

// Stop does nothing: an entity ends with its term, or when it has been idle.
func (a *activation) Stop(*actor.PID) {}

// post sends a message to the activation; it never blocks.
func (a *activation) post(message any) { a.mailbox.post(message) }

func (a *activation) schedule(run func()) { a.lead.runtime.dispatcher.schedule(run) }

// runHere handles a message in the caller's goroutine if the entity is idle. An entity
// that is to be loaded afresh may have to wait for an abandoned commit: a worker does.
func (a *activation) runHere(message any) bool {
	if !a.mailbox.acquire() {
		return false
	}
	defer a.mailbox.release()
	if a.entity == nil && a.loads > 0 {
		return false
	}
	a.mailbox.handle(message)
	return true
}

// receive handles one message at a time.
func (a *activation) receive(message any) {
	if a.stopped {
		return
	}
	switch m := message.(type) {
	case *Turn:
		a.take(m)
	case *committed:
		a.settle(m)
	case tick:
		a.tick(m.retire)
	case leave:
		a.leave()
	}
	a.stopAtLast()
}

// stopAtLast ends an actor that is leaving once nothing is in flight.
func (a *activation) stopAtLast() {
	if a.leaving && a.queue.depth.Load() == 0 && !a.committing {
		a.stop()
	}
}

// stop ends the actor. Its mailbox holds no turn then: the queue counts every turn from
// before it is posted until it is answered.
func (a *activation) stop() {
	a.leaving, a.stopped = false, true
	a.entity = nil
	a.kind.metrics.active.Dec()
	a.lead.runtime.active.Add(-1)
	a.lead.runtime.bytes.Add(-int64(a.size.Load()))
}

// take handles a command, or answers it if it is too late for that.
func (a *activation) take(t *Turn) {
	if t.deliveries == 0 && t.sampled() {
		a.lead.runtime.metrics.mailbox.Observe(time.Duration(a.lead.runtime.clock() - t.queued).Seconds())
	}
	if code := a.ready(t); code != Code_OK {
		t.finish(a.lead.shard.answer(code))
		return
	}
	if t.state.past != first && a.repeat(t) {
		return
	}
	if !a.restless.Load() {
		a.restless.Store(true)
	}
	a.decide(t)
}

// ready says whether the turn can be decided, loading the entity first if necessary.
func (a *activation) ready(t *Turn) Code {
	switch {
	case a.lead.over(), a.leaving:
		return Code_NOT_OWNER
	case t.state.fence == broken:
		return t.refused
	case t.late(time.Now()):
		return Code_EXPIRED
	case t.deliveries > maxDeliveries:
		return Code_REFUSED
	case a.entity == nil:
		return a.load(t)
	}
	return Code_OK
}

// repeat answers a command that was carried out before, or may have been: by the time of
// the shard its outcome may be gone already, whatever this node's clock says.
func (a *activation) repeat(t *Turn) bool {
	reply, ok, err := t.recorded()
	switch {
	case err != nil:
		t.Fail(fmt.Errorf("%w: outcome: %w", ErrUnavailable, err))
	case ok:
		t.Reply(reply)
	case t.state.past >= repeated && t.late(t.Now()):
		t.finish(a.lead.shard.answer(Code_EXPIRED))
	default:
		return false
	}
	return true
}

func (a *activation) decide(t *Turn) {
	defer a.guard(t)
	a.entity.Receive(t)
	if t.state.stage == running {
		a.fault(t, "command left without an answer")
	}
}

// fault reports a mistake in the entity's code and answers ErrInternal.
func (a *activation) fault(t *Turn, what string) {
	a.report(t, what)
	t.finish(answer{code: Code_FAILED})
}

func (a *activation) report(t *Turn, what string, more ...any) {
	a.lead.shard.report(a.kind, t, what, more...)
}

// guard turns a panic of the entity's code into an answer: the command fails
// and the entity is loaded afresh.
func (a *activation) guard(t *Turn) {
	if cause := recover(); cause != nil {
		a.restart(t, cause)
	}
}

// panicked is guard for what happens outside of the entity's code.
func (a *activation) panicked(message, cause any) {
	t, ok := message.(*Turn)
	if !ok {
		t = &Turn{entity: a, origin: own}
	}
	a.restart(t, cause)
	a.stopAtLast()
}

func (a *activation) restart(t *Turn, cause any) {
	a.report(t, "entity panicked", "panic", panicReason(cause), "stack", string(debug.Stack()))
	t.finish(answer{code: Code_FAILED})
	a.reset()
}

// panicReason is what may be logged of a panic: other texts may hold a secret.
func panicReason(cause any) string {
	if e, ok := cause.(runtime.Error); ok {
		return e.Error()
	}
	return fmt.Sprintf("%T", cause)
}

// reset forgets the entity's memory. Its deferred turns are delivered again to the one
// that will be loaded.
func (a *activation) reset() {
	a.entity = nil
	for a.open != nil {
		a.post(a.open.again(false))
	}
}

// leave ends the entity's term: a commit in flight is waited for, every other open turn
// is answered.
func (a *activation) leave() {
	a.leaving = true
	if !a.committing {
		a.abandon()
	}
}

func (a *activation) abandon() {
	for a.open != nil {
		a.open.finish(a.lead.shard.answer(Code_NOT_OWNER))
	}
}

// answered counts a command as done and learns from the time since the entity could
// handle it.
func (a *activation) answered(t *Turn) {
	r := a.lead.runtime
	if t.queued != 0 {
		now := r.clock()
		if t.depth > 1 {
			a.queue.observe(time.Duration(now-max(t.queued, a.loaded)), t.depth)
			a.queue.moved.Store(now)
		}
		if t.sampled() {
			r.queue.observe(time.Duration(now-t.queued), t.crowd)
		}
	}
	a.queue.leave(t.size)
	r.queue.leave(t.size)
}

// opened and shut keep the list of open turns.
func (a *activation) opened(t *Turn) {
	t.next, t.prev = a.open, nil
	if a.open != nil {
		a.open.prev = t
	}
	a.open = t
}

func (a *activation) shut(t *Turn) {
	if t.prev != nil {
		t.prev.next = t.next
	} else if a.open == t {
		a.open = t.next
	}
	if t.next != nil {
		t.next.prev = t.prev
	}
	t.next, t.prev = nil, nil
}
