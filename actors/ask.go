package actors

import (
	"context"
	"fmt"
	"time"

	"google.golang.org/protobuf/proto"

	"ssod/cluster"
)

// maxIdentity is the longest encoded identity in bytes, as in package persistence.
const maxIdentity = 1024

var _ Asker = (*Runtime)(nil)

// Ask sends a command to an entity wherever it lives and waits for the answer,
// at most until ctx ends or for 10 s. It tries again, with the same request id,
// as long as the shard's owner changes or refuses, but gives up after
// Limits.OwnerWait. The command must not change after Ask is called, even after
// it returned.
func (r *Runtime) Ask(ctx context.Context, to Address, request cluster.RequestID, step uint32, command proto.Message) (proto.Message, error) {
	p, s, err := r.target(to)
	if err != nil {
		return nil, err
	}
	if err := r.enter(); err != nil {
		return nil, err
	}
	defer r.leave()
	c := call{runtime: r, shard: s, target: p, request: request, step: step, command: command}
	return c.bounded(ctx)
}

// Tell sends a command whose answer nobody waits for. It may be lost: when a node is
// overloaded, or with the connection that carries it. Like Ask it looks for the owner
// when that is unknown, unreachable or has changed.
func (r *Runtime) Tell(to Address, request cluster.RequestID, step uint32, command proto.Message) {
	p, s, err := r.target(to)
	if err != nil || r.stopping.Load() {
		return
	}
	c := call{
		runtime: r, shard: s, target: p, request: request, step: step, command: command,
		deadline: time.Now().Add(maxDeadline),
	}
	c.tell(told)
}

// tell sends the command once, to where its entity is believed to be.
func (c *call) tell(o origin) {
	r, p := c.runtime, c.target
	if l := c.shard.led.Load(); l != nil && !l.over() {
		t := &Turn{
			attempt: c.next(), command: c.command, origin: o,
			deadline: c.deadline.UnixMilli(),
		}
		if p.kind.Brief {
			t.caller = r.ctx
		}
		c.shard.deliver(t, p)
		return
	}
	owner, local := c.route()
	if local || owner.Address == "" || r.peers == nil || !r.peers.up(owner.Address) {
		c.behind()
		return
	}
	m := c.outgoing(owner)
	p.kind.metrics.hops.Inc()
	r.system.Root.Send(c.shard.pid(owner.Address), &m)
}

// behind runs the call in the background, if one of a bounded number of goroutines is
// free.
func (c *call) behind() {
	r, again := c.runtime, *c
	select {
	case r.tells <- struct{}{}:
	default:
		return
	}
	started := r.spawn(func() {
		defer func() { <-r.tells }()
		ctx, cancel := context.WithDeadline(r.ctx, again.deadline)
		defer cancel()
		_, _ = again.run(ctx)
	})
	if !started {
		<-r.tells
	}
}

// target encodes and hashes an address, and finds the shard that it belongs to.
func (r *Runtime) target(to Address) (target, *shard, error) {
	k := r.kinds[to.Kind]
	if k == nil {
		return target{}, nil, fmt.Errorf("%w: unknown kind %q", ErrInternal, to.Kind)
	}
	if at := r.level(); at < k.Level {
		return target{}, nil, &LevelError{Kind: k.Name, Has: at, Need: k.Level}
	}
	p := target{kind: k, identity: to.Identity.Encode()}
	if p.identity == "" || len(p.identity) > maxIdentity {
		return target{}, nil, fmt.Errorf("%w: identity of %d bytes", ErrUnavailable, len(p.identity))
	}
	p.hash = p.entity().Hash()
	s := r.home(p)
	if s == nil {
		return target{}, nil, fmt.Errorf("%w: this node does not know yet which shard it belongs to", ErrUnavailable)
	}
	return p, s, nil
}

// home is the shard that a target belongs to; nil while this node does not know it.
func (r *Runtime) home(p target) *shard {
	slots := r.slots()
	if slots == nil {
		return nil
	}
	return r.shards[slots.ByHash(p.hash)]
}

// enter counts an Ask that waits.
func (r *Runtime) enter() error {
	if r.asks.Add(1) > int64(r.limits.Asks) {
		r.asks.Add(-1)
		return &OverloadedError{RetryAfter: r.queue.drain(r.queue.depth.Load(), r.limits.Wait)}
	}
	if r.stopping.Load() {
		r.asks.Add(-1)
		return fmt.Errorf("%w: the node is stopping", ErrUnavailable)
	}
	return nil
}

func (r *Runtime) leave() { r.asks.Add(-1) }

// respond sends an answer to the caller.
func (r *Runtime) respond(t *Turn, ans answer) {
	switch {
	case t.tells():
	case t.from != nil:
		r.answer(t, ans)
	default:
		r.replies.deliver(t.attempt, ans)
	}
}
