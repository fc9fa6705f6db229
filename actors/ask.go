package actors

import (
	"context"
	"fmt"
	"time"

	"google.golang.org/protobuf/proto"

	"ssod/cluster"
)

// maxIdentity is the longest encoded identity in bytes; persistence has the same
// limit.
const maxIdentity = 1024

var _ Asker = (*Runtime)(nil)

// Ask sends a command to an entity wherever it lives and waits for the answer,
// at most until ctx ends or for 10 s. It tries again, with the same request id,
// as long as the shard's owner changes or refuses, but gives up after
// Limits.OwnerWait. The command must not change after Ask is called, even after
// it returned.
func (r *Runtime) Ask(ctx context.Context, to Address, request cluster.RequestID, step uint32, command proto.Message) (proto.Message, error) {
	p, err := r.place(to)
	if err != nil {
		return nil, err
	}
	if err := r.enter(); err != nil {
		return nil, err
	}
	defer r.leave()
	c := call{runtime: r, shard: r.shardAt(p), place: p, request: request, step: step, command: command}
	return c.bounded(ctx)
}

// Tell sends a command whose answer nobody waits for; it may be lost, and it is
// when the node is overloaded.
func (r *Runtime) Tell(to Address, request cluster.RequestID, step uint32, command proto.Message) {
	p, err := r.place(to)
	if err != nil || r.stopping.Load() {
		return
	}
	c := &call{runtime: r, shard: r.shardAt(p), place: p, request: request, step: step, command: command}
	if l := c.shard.leased.Load(); l != nil && !l.over() {
		t := &Turn{
			attempt: c.next(), command: command, silent: true,
			deadline: time.Now().Add(maxDeadline).UnixMilli(),
		}
		if p.kind.Brief {
			t.caller = r.ctx
		}
		c.shard.deliver(t, p)
		return
	}
	c.behind()
}

// behind runs the call in a goroutine, if one of a bounded number is free.
func (c *call) behind() {
	r := c.runtime
	select {
	case r.tells <- struct{}{}:
	default:
		return
	}
	started := r.spawn(func() {
		defer func() { <-r.tells }()
		_, _ = c.bounded(r.ctx)
	})
	if !started {
		<-r.tells
	}
}

func (r *Runtime) shardAt(p place) *shard { return r.shards[shardOf(p.hash, len(r.shards)-1)] }

// place encodes and hashes an address.
func (r *Runtime) place(to Address) (place, error) {
	k := r.kinds[to.Kind]
	if k == nil {
		return place{}, fmt.Errorf("%w: unknown kind %q", ErrInternal, to.Kind)
	}
	p := place{kind: k, identity: to.Identity.Encode()}
	if p.identity == "" || len(p.identity) > maxIdentity {
		return place{}, fmt.Errorf("%w: identity of %d bytes", ErrUnavailable, len(p.identity))
	}
	p.hash = hash(p.entity())
	return p, nil
}

// enter counts an Ask that waits.
func (r *Runtime) enter() error {
	if r.asks.Add(1) > int64(r.limits.Asks) {
		r.asks.Add(-1)
		return ErrOverloaded
	}
	if r.stopping.Load() {
		r.asks.Add(-1)
		return fmt.Errorf("%w: the node is stopping", ErrUnavailable)
	}
	return nil
}

func (r *Runtime) leave() { r.asks.Add(-1) }

// respond sends an answer to whoever waits for it.
func (r *Runtime) respond(t *Turn, ans answer) {
	switch {
	case t.sender != nil && !r.reaches(t.sender.GetAddress()):
		// Whoever asked is gone, or asks again.
	case t.sender != nil:
		r.system.Root.Send(t.sender, r.remoteAnswer(t, ans))
	case !t.silent:
		r.replies.deliver(t.attempt, ans)
	}
}

func (r *Runtime) remoteAnswer(t *Turn, ans answer) *RemoteAnswer {
	m := &RemoteAnswer{
		Request: t.request[:], Step: t.step, Attempt: t.number,
		Code: ans.code, Owner: ans.owner.Address, OwnerTerm: ans.owner.Term,
	}
	if ans.code != Code_OK {
		return m
	}
	var err error
	if m.Reply, err = pack(ans.reply); err != nil {
		r.log.Error("answer cannot be sent", "trace", trace(t.request), "error", err)
		m.Code = Code_FAILED
	}
	return m
}
