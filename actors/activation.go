package actors

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"sync/atomic"
	"time"

	"github.com/asynkron/protoactor-go/actor"
)

// activation is the actor of one entity in one lease: a process of protoactor that
// has no name in its registry. Its fields belong to the entity's turns, except the
// atomic ones.
type activation struct {
	place
	mailbox mailbox
	lease   *lease
	next    *activation // another entity with the same hash; guarded by the lease
	entity  Entity      // nil: to be loaded
	rev     uint64      // of the entity as loaded or last committed
	open    *Turn       // turns that were deferred

	queue    queue         // commands admitted and not answered
	size     atomic.Int32  // about how many bytes of memory it takes
	used     atomic.Uint32 // tick of the last command
	restless atomic.Bool   // wants its Tick
	ticking  atomic.Bool   // a Tick is in the mailbox
	loading  atomic.Bool   // it was not loaded yet: see admits

	loaded     int64  // when it was for the first time, by the runtime's clock
	loads      uint32 // counts how often the entity was loaded
	committing bool   // a commit of Begin is in flight
	leaving    bool   // the lease is closed
	stopped    bool   // it is not in memory any more: messages are nothing to it
}

var (
	_ recipient     = (*activation)(nil)
	_ actor.Process = (*activation)(nil)
)

func newActivation(l *lease, p place) *activation {
	a := &activation{place: p, lease: l}
	a.mailbox.owner = a
	a.loading.Store(true)
	return a
}

// admits says whether one more command may wait. Until the entity has been loaded here
// nothing is answered, which says nothing of its pace: it has moved here, say, and has
// much to read. Then commands wait for as long as their deadlines allow, and only memory
// bounds how many.
func (a *activation) admits(size int32) refusal {
	r, b := a.lease.runtime, a.kind.bound
	if !a.loading.Load() {
		return a.queue.admits(b, size, r.clock)
	}
	if a.queue.overfull(b, size) {
		return refusal{refusedBytes, b.wait}
	}
	return refusal{}
}

// settled notes that the first loading is over. What waited has waited for that.
func (a *activation) settled() {
	if !a.loading.Load() {
		return
	}
	a.loaded = a.lease.runtime.clock()
	a.queue.moved.Store(a.loaded)
	a.queue.before.Store(a.queue.depth.Load() - 1) // what loads it is one of them
	a.loading.Store(false)
}

// Messages of the runtime to an activation, beside turns.
type (
	leave struct{}
	tick  struct{ retire bool }
)

// ownBytes is what an entity takes beside its identity and its encoded state
// (BenchmarkIdleEntity): the actor with its mailbox, its place in the table, and what
// the kind makes of it. While it is used its decoded state comes on top.
const ownBytes = 352

// weigh notes the length of an entity's encoded state.
func (a *activation) weigh(state int) {
	size := int32(ownBytes + len(a.identity) + state)
	a.lease.runtime.bytes.Add(int64(size - a.size.Swap(size)))
}

// SendUserMessage posts a message to the entity; it never blocks.
func (a *activation) SendUserMessage(_ *actor.PID, message any) { a.post(message) }

// SendSystemMessage does nothing: the runtime supervises its entities itself.
func (a *activation) SendSystemMessage(*actor.PID, any) {}

// Stop does nothing: an entity ends with its lease, or when nobody needs it.
func (a *activation) Stop(*actor.PID) {}

// post sends a message to the activation; it never blocks.
func (a *activation) post(message any) { a.mailbox.post(message) }

func (a *activation) schedule(run func()) { a.lease.runtime.dispatcher.schedule(run) }

// runHere handles a message in the caller's goroutine, if the entity does
// nothing. An entity that was loaded and is to be loaded afresh may have to wait
// for a commit that somebody has left: that is for a worker.
func (a *activation) runHere(message any) bool {
	if !a.mailbox.claim() {
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

// stopAtLast ends an actor that is leaving when nothing is in flight any more.
func (a *activation) stopAtLast() {
	if a.leaving && a.queue.depth.Load() == 0 && !a.committing {
		a.stop()
	}
}

// stop ends the actor. Its mailbox holds no turn then: every turn is counted in
// its queue from before it is posted until it is answered.
func (a *activation) stop() {
	a.leaving, a.stopped = false, true
	a.entity = nil
	a.kind.metrics.active.Dec()
	a.lease.runtime.active.Add(-1)
	a.lease.runtime.bytes.Add(-int64(a.size.Load()))
}

// take handles a command, or answers it if that cannot be done any more.
func (a *activation) take(t *Turn) {
	if t.deliveries == 0 && t.sampled() {
		a.lease.runtime.metrics.waited(a.lease.runtime.clock() - t.queued)
	}
	if code := a.ready(t); code != Code_OK {
		t.finish(a.lease.shard.answer(code))
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

// ready says whether the turn can be decided, loading the entity if need be.
func (a *activation) ready(t *Turn) Code {
	switch {
	case a.lease.over(), a.leaving:
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

// repeat answers a command that was carried out before, or may have been: what became
// of it is not kept for ever by the time of the shard, whatever this node's clock says.
func (a *activation) repeat(t *Turn) bool {
	reply, ok, err := t.recorded()
	switch {
	case err != nil:
		t.Fail(fmt.Errorf("%w: outcome: %w", ErrUnavailable, err))
	case ok:
		t.Reply(reply)
	case t.state.past >= repeated && t.late(t.Now()):
		t.finish(a.lease.shard.answer(Code_EXPIRED))
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
	about := []any{"kind", a.kind.Name, "shard", a.lease.shard.id}
	if t.command != nil {
		about = append(about, "trace", trace(t.request), "message", t.command.ProtoReflect().Descriptor().Name())
	}
	a.lease.runtime.log.Error(what, append(about, more...)...)
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

// panicReason is what a log may tell of a panic: another text may hold a secret.
func panicReason(cause any) string {
	if e, ok := cause.(runtime.Error); ok {
		return e.Error()
	}
	return fmt.Sprintf("%T", cause)
}

// reset forgets the entity's memory. What it had deferred is delivered again to
// the one that will be loaded.
func (a *activation) reset() {
	a.entity = nil
	for a.open != nil {
		a.post(a.open.again(false))
	}
}

// leave lets the entity go: a commit in flight is waited for, every other open
// turn is answered.
func (a *activation) leave() {
	a.leaving = true
	if !a.committing {
		a.abandon()
	}
}

func (a *activation) abandon() {
	for a.open != nil {
		a.open.finish(a.lease.shard.answer(Code_NOT_OWNER))
	}
}

// answered counts a command as done and learns from how long it took since the entity
// could handle it.
func (a *activation) answered(t *Turn) {
	r := a.lease.runtime
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
