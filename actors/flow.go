package actors

import (
	"context"
	"errors"
	"runtime/debug"
	"time"

	"google.golang.org/protobuf/proto"
)

// A FlowFunc carries out a command that takes more than one entity. It runs on the node
// that owns the entity which the command was sent to, but in none of its turns: in the
// caller's goroutine or in a worker's. So the entity serves others meanwhile, and a flow
// may wait for the entities that it asks.
//
// A flow can end anywhere, with its node, and can run twice, even concurrently: the
// command is sent again like any other. So it asks everything under the id of the
// request, with a step for each ask, and one change decides, whose outcome is the flow's.
// What was done before that change must do no harm when the flow ends there.
type FlowFunc func(f *Flow) (proto.Message, error)

// Flow is one run of a FlowFunc.
type Flow struct {
	ctx    context.Context
	shard  *shard
	target target
	turn   *Turn // the command, which no entity sees
}

// Command is what the flow is to carry out.
func (f *Flow) Command() proto.Message { return f.turn.command }

// Turn has a command handled, once, by the entity that the flow's own was sent to. A
// flow that returns the error of a deposed owner is begun again at the next owner.
func (f *Flow) Turn(step uint32, command proto.Message) (proto.Message, error) {
	c := f.call(f.shard, f.target, step, command)
	ans := c.local(f.ctx)
	if ans.code != Code_OK {
		return nil, &turnError{ans}
	}
	return ans.reply, nil
}

// Ask sends a command to another entity as [Asker.Ask] does. An error is final: a flow
// that returns it ends the Ask that brought the command, too.
func (f *Flow) Ask(to Address, step uint32, command proto.Message) (proto.Message, error) {
	r := f.shard.runtime
	p, s, err := r.target(to)
	if err != nil {
		return nil, err
	}
	r.asks.Add(1) // not entered: a stopping node waits for the flow
	defer r.leave()
	c := f.call(s, p, step, command)
	return c.run(f.ctx)
}

// Identity is that of the entity which the command was sent to.
func (f *Flow) Identity() Identity {
	id, err := DecodeIdentity(f.target.identity)
	if err != nil {
		panic(err) // it was encoded by a node of ours
	}
	return id
}

// Tell is [Asker.Tell] under the flow's request id. An entity that this node owns gets
// it however much waits there, and while the node stops: it was admitted with the flow.
func (f *Flow) Tell(to Address, step uint32, command proto.Message) {
	if p, s, err := f.shard.runtime.target(to); err == nil {
		c := f.call(s, p, step, command)
		c.deadline = time.Now().Add(maxDeadline) // that of the flow may be near
		c.tell(owed)
	}
}

// call returns a value, which stays on the caller's stack.
func (f *Flow) call(s *shard, p target, step uint32, command proto.Message) call {
	return call{
		runtime: s.runtime, shard: s, target: p,
		request: f.turn.request, step: step, command: command,
		deadline: time.UnixMilli(f.turn.deadline),
	}
}

// flow is what carries out a command of the kind instead of the entity, if anything.
func (k *kind) flow(command proto.Message) FlowFunc {
	if k.Flow == nil {
		return nil
	}
	return k.Flow(command)
}

// turnError is how a turn of the flow's entity ended without a reply.
type turnError struct{ answer answer }

func (e *turnError) Error() string { return "turn of a flow: " + reason(e.answer.code) }

// workerSize is the memory of a flow that a worker runs: its stack.
const workerSize = 8 << 10

// flow begins a flow for a command. One of another node takes a worker until it ends.
func (s *shard) flow(t *Turn, p target, carryOut FlowFunc) {
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
	f := &Flow{ctx: t.caller, shard: s, target: p, turn: t}
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

// asAnswer passes the end of a turn on. To the sender of the command, an attempt that
// this node gave up has an unknown effect.
func (e *turnError) asAnswer() answer {
	if e.answer.code < Code_CODE_UNSPECIFIED {
		return answer{code: Code_UNKNOWN}
	}
	return e.answer
}

// report logs a fault of the flow's code.
func (f *Flow) report(what string, more ...any) {
	f.shard.report(f.target.kind, f.turn, what, more...)
}
