package actors

import (
	"context"
	"errors"
	"runtime/debug"
	"time"

	"google.golang.org/protobuf/proto"
)

// A FlowFunc carries out a command that takes more than one entity. It runs on
// the node that owns the entity which the command was sent to, but in none of its
// turns: in the goroutine of who asked, or in a worker's. So the entity serves
// others meanwhile, and a flow may wait for whom it asks.
//
// A flow can end anywhere, with its node, and can run twice, side by side even:
// the command is sent again like any other. So whatever it asks for is asked under
// the id of the request, one step for each thing, and there is one change that
// makes all the difference, whose outcome is the flow's. What was done before it
// must do no harm when the flow ends there.
type FlowFunc func(f *Flow) (proto.Message, error)

// Flow is one run of a FlowFunc.
type Flow struct {
	ctx   context.Context
	shard *shard
	place place
	turn  *Turn // the command, which no entity sees
}

// Command is what the flow is to carry out.
func (f *Flow) Command() proto.Message { return f.turn.command }

// Turn has a command handled by the entity that the flow's own was sent to, once:
// the error of an owner that is deposed ends the flow if it is returned, and then
// the next owner is asked for the whole flow.
func (f *Flow) Turn(step uint32, command proto.Message) (proto.Message, error) {
	c := f.call(f.shard, f.place, step, command)
	ans := c.local(f.ctx)
	if ans.code != Code_OK {
		return nil, &turnError{ans}
	}
	return ans.reply, nil
}

// Ask sends a command to another entity wherever it lives, as [Asker.Ask] does. An
// error is the last word: who returns it as the flow's ends the Ask that brought the
// command, too.
func (f *Flow) Ask(to Address, step uint32, command proto.Message) (proto.Message, error) {
	r := f.shard.runtime
	p, s, err := r.place(to)
	if err != nil {
		return nil, err
	}
	r.asks.Add(1) // not entered: the node that stops waits for the flow
	defer r.leave()
	c := f.call(s, p, step, command)
	return c.run(f.ctx)
}

// Identity is that of the entity which the command was sent to.
func (f *Flow) Identity() Identity {
	id, err := DecodeIdentity(f.place.identity)
	if err != nil {
		panic(err) // it was encoded by a node of ours
	}
	return id
}

// Tell is [Asker.Tell] under the flow's request id. An entity that this node owns
// hears it whatever waits, and when the node stops: the flow was admitted, and what
// it owes comes with that.
func (f *Flow) Tell(to Address, step uint32, command proto.Message) {
	if p, s, err := f.shard.runtime.place(to); err == nil {
		c := f.call(s, p, step, command)
		c.deadline = time.Now().Add(maxDeadline) // that of the flow may be near
		c.tell(owed)
	}
}

// call returns a value, which stays on the stack of who runs it.
func (f *Flow) call(s *shard, p place, step uint32, command proto.Message) call {
	return call{
		runtime: s.runtime, shard: s, place: p,
		request: f.turn.request, step: step, command: command,
		deadline: time.UnixMilli(f.turn.deadline),
	}
}

// flow is what carries out a command of the kind in place of the entity, if anything.
func (k *kind) flow(command proto.Message) FlowFunc {
	if k.Flow == nil {
		return nil
	}
	return k.Flow(command)
}

// turnError is how a turn of the flow's entity ended without a reply.
type turnError struct{ answer answer }

func (e *turnError) Error() string { return "turn of a flow: " + reason(e.answer.code) }

// workerSize is what a flow takes that a worker runs: its stack, as deep as that of a
// decision.
const workerSize = 8 << 10

// flow begins a flow for a command that arrived. That of another node takes a worker
// until it ends.
func (s *shard) flow(t *Turn, p place, carryOut FlowFunc) {
	r := s.runtime
	if t.caller == nil {
		t.size += workerSize
	}
	if no := r.room(t.size); no.why != "" {
		r.respond(t, p.kind.refuse(no))
		return
	}
	r.queue.enter(t.size)
	p.kind.metrics.message(t.command)
	f := &Flow{ctx: t.caller, shard: s, place: p, turn: t}
	if f.ctx != nil {
		f.run(carryOut)
		return
	}
	r.dispatcher.schedule(func() {
		ctx, cancel := context.WithDeadline(r.ctx, time.UnixMilli(t.deadline))
		defer cancel()
		f.ctx = ctx
		f.run(carryOut)
	})
}

// run answers the command as the flow ends.
func (f *Flow) run(carryOut FlowFunc) {
	r := f.shard.runtime
	ans := f.end(carryOut)
	r.queue.leave(f.turn.size)
	r.respond(f.turn, ans)
}

func (f *Flow) end(carryOut FlowFunc) (ans answer) {
	defer func() {
		if cause := recover(); cause != nil {
			f.report("flow panicked", "panic", panicReason(cause), "stack", string(debug.Stack()))
			ans = answer{code: Code_FAILED}
		}
	}()
	reply, err := carryOut(f)
	if err == nil {
		return answer{code: Code_OK, reply: reply}
	}
	if own, ok := errors.AsType[*turnError](err); ok {
		return own.asAnswer()
	}
	code := codeOf(err)
	if code == Code_FAILED && !errors.Is(err, ErrInternal) { // that was reported
		f.report("flow failed", "error", err)
	}
	return f.shard.answerTo(err, code)
}

// asAnswer passes the end of a turn on. What this node did not wait for is unknown
// to whoever sent the command.
func (e *turnError) asAnswer() answer {
	if e.answer.code < Code_CODE_UNSPECIFIED {
		return answer{code: Code_UNKNOWN}
	}
	return e.answer
}

// report logs a fault of the flow's code.
func (f *Flow) report(what string, more ...any) {
	about := []any{
		"kind", f.place.kind.Name, "shard", f.shard.id,
		"trace", trace(f.turn.request), "message", f.turn.command.ProtoReflect().Descriptor().Name(),
	}
	f.shard.runtime.log.Error(what, append(about, more...)...)
}
