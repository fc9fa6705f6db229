package actors

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"google.golang.org/protobuf/proto"

	"ssod/cluster"
)

// Ways an attempt ends that no owner answers.
const (
	codeDeadline    Code = -1 - iota // nobody answered in time: the effect is unknown
	codeMoved                        // the shard has another owner: likewise
	codeUnreachable                  // not sent: no effect
)

// Bounds on what one Ask tries.
const (
	maxAttempts = 32
	maxRefusals = 3
	maxIdentity = 1024 // bytes; persistence has the same limit
	firstPause  = 2 * time.Millisecond
	maxPause    = 100 * time.Millisecond
)

var _ Asker = (*Runtime)(nil)

// call is one Ask: the attempts to have a command carried out.
type call struct {
	runtime  *Runtime
	shard    *shard
	place    place
	request  cluster.RequestID
	step     uint32
	command  proto.Message
	packed   *Packed // the command, once it was sent to another node
	deadline time.Time

	hint      cluster.Owner // where the last answer pointed
	attempts  int
	refusals  int
	uncertain bool          // some attempt may have had an effect
	stuck     time.Time     // when the first attempt found no owner
	pause     time.Duration // before the next attempt
}

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

// bounded runs the call with a deadline at most 10 s ahead.
func (c *call) bounded(ctx context.Context) (proto.Message, error) {
	limit := time.Now().Add(maxDeadline)
	if d, ok := ctx.Deadline(); ok && d.Before(limit) {
		c.deadline = d
		return c.run(ctx)
	}
	c.deadline = limit
	ctx, cancel := context.WithDeadline(ctx, limit)
	defer cancel()
	return c.run(ctx)
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
		c.shard.deliver(&Turn{
			attempt: c.next(), command: command, silent: true,
			deadline: time.Now().Add(maxDeadline).UnixMilli(),
		}, p)
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

// run makes attempts until one ends the call.
func (c *call) run(ctx context.Context) (proto.Message, error) {
	for {
		moved := c.shard.moved()
		ans := c.try(ctx, moved)
		switch ans.code {
		case Code_OK:
			return ans.reply, nil
		case Code_OVERLOADED:
			return nil, c.failure(ErrOverloaded, ans.code)
		case Code_FAILED:
			return nil, ErrInternal
		case Code_EXPIRED, Code_UNAVAILABLE, codeDeadline:
			return nil, c.failure(ErrUnavailable, ans.code)
		}
		if !c.again(ctx, ans, moved) {
			return nil, c.failure(ErrUnavailable, ans.code)
		}
	}
}

// failure is none when no attempt can have had an effect, else ErrUnknown.
func (c *call) failure(none error, last Code) error {
	if c.uncertain {
		none = ErrUnknown
	}
	return fmt.Errorf("%w: %s %d after %d attempts: %s", none, c.place.kind.Name, c.shard.id, c.attempts, reason(last))
}

func reason(code Code) string {
	switch code {
	case codeDeadline:
		return "no answer in time"
	case codeMoved:
		return "the owner changed"
	case codeUnreachable:
		return "the owner cannot be reached"
	}
	return code.String()
}

// try makes one attempt.
func (c *call) try(ctx context.Context, moved <-chan struct{}) answer {
	c.attempts++
	owner, local := c.route()
	var ans answer
	switch {
	case ctx.Err() != nil:
		return answer{code: Code_EXPIRED}
	case local:
		ans = c.local(ctx)
	case owner.Address != "":
		ans = c.remote(ctx, owner, moved)
	default:
		return answer{code: Code_NOT_OWNER}
	}
	if !harmless(ans.code) && ans.code != codeUnreachable {
		c.uncertain = true
	}
	return ans
}

// route says where the shard's owner is, as far as is known.
func (c *call) route() (owner cluster.Owner, local bool) {
	if l := c.shard.leased.Load(); l != nil && !l.over() {
		return owner, true
	}
	owner, ok := c.runtime.view.Owner(c.shard.id)
	if c.hint.Term > owner.Term {
		owner, ok = c.hint, true
	}
	return owner, !ok || owner.Address == c.runtime.self
}

func (c *call) next() attempt {
	return attempt{c.request, c.step, c.runtime.attempts.Add(1)}
}

// local makes an attempt on this node. The entity always answers: also when
// the node is deposed meanwhile.
func (c *call) local(ctx context.Context) answer {
	r := c.runtime
	p := r.replies.expect(c.next(), "")
	c.shard.deliver(&Turn{
		attempt: p.attempt, command: c.command,
		deadline: c.deadline.UnixMilli(), repeated: c.uncertain,
	}, c.place)
	select {
	case ans := <-p.answer:
		r.replies.release(p)
		return ans
	case <-ctx.Done():
		return c.giveUp(p, codeDeadline)
	}
}

// remote makes an attempt on another node.
func (c *call) remote(ctx context.Context, owner cluster.Owner, moved <-chan struct{}) answer {
	r := c.runtime
	if r.peers == nil || r.peers.down(owner.Address) {
		return answer{code: codeUnreachable}
	}
	if err := c.pack(); err != nil {
		r.log.Error("command cannot be sent", "kind", c.place.kind.Name, "trace", trace(c.request), "error", err)
		return answer{code: Code_FAILED}
	}
	p := r.replies.expect(c.next(), owner.Address)
	c.send(p, owner)
	for {
		select {
		case ans := <-p.answer:
			r.replies.release(p)
			return ans
		case <-ctx.Done():
			return c.giveUp(p, codeDeadline)
		case <-moved:
			moved = c.shard.moved()
			if now, _ := c.route(); now != owner {
				return c.giveUp(p, codeMoved)
			}
		}
	}
}

func (c *call) pack() (err error) {
	if c.packed == nil {
		c.packed, err = pack(c.command)
	}
	return err
}

func (c *call) send(p *pending, owner cluster.Owner) {
	r := c.runtime
	request := c.request // a copy, so that no Ask of this node is moved to the heap
	r.system.Root.Send(actor.NewPID(owner.Address, c.shard.name), &actor.MessageEnvelope{
		Message: &RemoteCommand{
			Shard: uint32(c.shard.id), Term: owner.Term,
			Kind: c.place.kind.Name, Identity: []byte(c.place.identity),
			Request: request[:], Step: c.step, Attempt: p.number,
			DeadlineMs: c.deadline.UnixMilli(), Command: c.packed,
		},
		Sender: &actor.PID{Address: r.self, Id: repliesID, RequestId: p.number},
	})
}

// giveUp ends an attempt without an answer, unless that came just now.
func (c *call) giveUp(p *pending, code Code) answer {
	ans, came := c.runtime.replies.forget(p)
	c.runtime.replies.release(p)
	if came {
		return ans
	}
	return answer{code: code}
}

// again waits for the moment of the next attempt: at once when the answer
// points to a newer owner, else when the owner changes or after a short pause.
// It returns false when there is to be none.
func (c *call) again(ctx context.Context, ans answer, moved <-chan struct{}) bool {
	if c.attempts >= maxAttempts {
		return false
	}
	if ans.code == Code_REFUSED {
		if c.refusals++; c.refusals >= maxRefusals {
			return false
		}
	}
	if ans.code == codeMoved || c.pointed(ans) {
		return true
	}
	now := time.Now()
	if c.stuck.IsZero() {
		c.stuck = now
	}
	left := c.runtime.limits.OwnerWait - now.Sub(c.stuck)
	if left <= 0 {
		return false
	}
	return c.wait(ctx, min(c.backoff(), left), moved)
}

// pointed reports whether the answer names an owner that is newer than what
// this node knows.
func (c *call) pointed(ans answer) bool {
	known, _ := c.runtime.view.Owner(c.shard.id)
	if ans.code != Code_NOT_OWNER || ans.owner.Term <= max(known.Term, c.hint.Term) {
		return false
	}
	c.hint = ans.owner
	return true
}

// backoff doubles from one pause to the next, with up to a half of jitter.
func (c *call) backoff() time.Duration {
	c.pause = min(max(2*c.pause, firstPause), maxPause)
	return c.pause/2 + rand.N(c.pause/2)
}

func (c *call) wait(ctx context.Context, pause time.Duration, moved <-chan struct{}) bool {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-moved:
	case <-ctx.Done():
		return false
	case <-c.runtime.ctx.Done():
		return false
	}
	return true
}

// respond sends an answer to whoever waits for it.
func (r *Runtime) respond(t *Turn, ans answer) {
	switch {
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
