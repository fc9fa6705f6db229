package actors

import (
	"context"
	"fmt"
	"time"

	"google.golang.org/protobuf/proto"

	"ssod/cluster"
)

// How an attempt ends without an answer of an owner.
const (
	codeDeadline    Code = -1 - iota // no answer in time: the effect is unknown
	codeMoved                        // the shard has another owner: likewise
	codeUnreachable                  // not sent: no effect
	codeSilent                       // no answer for a while: the effect is unknown
)

const (
	// firstPatience is how long an attempt on another node waits for its answer before
	// the command is sent again; each further attempt waits twice as long. An answer can
	// get lost unnoticed while the connection back is broken.
	firstPatience = time.Second
	// glance is how often the attempts look whether that node is still connected.
	glance = 100 * time.Millisecond
)

// call is one Ask: the attempts to have a command carried out.
type call struct {
	runtime  *Runtime
	shard    *shard
	target   target
	request  cluster.RequestID
	step     uint32
	command  proto.Message
	deadline time.Time

	hint      cluster.Owner // that the last answer named
	attempts  int
	unsent    int // attempts without a connection to the owner
	refusals  int
	silences  int           // attempts without an answer
	uncertain bool          // some attempt may have had an effect
	stuck     time.Time     // when the first attempt found no owner
	pause     time.Duration // before the next attempt
}

// bounded runs the call with a deadline at most 10 s ahead. A Stop that cannot wait cuts
// it off, unless the deadline is the caller's own.
func (c *call) bounded(ctx context.Context) (proto.Message, error) {
	limit := time.Now().Add(maxDeadline)
	if d, ok := ctx.Deadline(); ok && d.Before(limit) {
		c.deadline = d
		return c.run(ctx)
	}
	c.deadline = limit
	ctx, cancel := context.WithDeadline(ctx, limit)
	defer cancel()
	defer context.AfterFunc(c.runtime.ctx, cancel)()
	return c.run(ctx)
}

// run makes attempts until one ends the call.
func (c *call) run(ctx context.Context) (proto.Message, error) {
	for {
		moved := c.shard.moved()
		ans := c.try(ctx, moved)
		switch ans.code {
		case Code_OK:
			return ans.reply, nil
		case Code_OVERLOADED:
			return nil, c.failure(&OverloadedError{RetryAfter: ans.after}, ans.code)
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

// failure wraps none when no attempt can have had an effect, else ErrUnknown.
func (c *call) failure(none error, last Code) error {
	if c.uncertain {
		none = ErrUnknown
	}
	return fmt.Errorf("%w: %s %d after %d attempts: %s", none, c.target.kind.Name, c.shard.id, c.attempts, reason(last))
}

func reason(code Code) string {
	switch code {
	case codeDeadline:
		return "no answer in time"
	case codeMoved:
		return "the owner changed"
	case codeUnreachable:
		return "the owner cannot be reached"
	case codeSilent:
		return "the owner does not answer"
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

// route says where the shard's owner is, as far as this node knows.
func (c *call) route() (owner cluster.Owner, local bool) {
	if l := c.shard.led.Load(); l != nil && !l.over() {
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

// local makes an attempt on this node. The entity always answers, even when the node is
// deposed meanwhile.
func (c *call) local(ctx context.Context) answer {
	r := c.runtime
	p := r.replies.expect(c.next())
	c.shard.deliver(&Turn{
		attempt: p.attempt, command: c.command, caller: ctx,
		deadline: c.deadline.UnixMilli(), state: arrived(c.uncertain),
	}, c.target)
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
	if r.peers == nil || !r.peers.up(owner.Address) {
		return answer{code: codeUnreachable}
	}
	p := r.replies.expectAbroad(c.next(), owner.Address, firstPatience<<min(c.silences, 4))
	c.send(p, owner)
	for {
		select {
		case ans := <-p.answer:
			r.replies.release(p)
			if ans.code == codeSilent {
				c.silences++
			}
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

func (c *call) send(p *pending, owner cluster.Owner) {
	p.command = c.outgoing(owner)
	c.target.kind.metrics.hops.Inc()
	c.runtime.system.Root.Send(c.shard.pid(owner.Address), p)
}

// outgoing is the command as it is sent to an owner.
func (c *call) outgoing(owner cluster.Owner) outgoing {
	return outgoing{
		shard: c.shard.id, term: owner.Term, voucher: c.runtime.vouch(c.shard.id), target: c.target,
		request: c.request, step: c.step, deadline: c.deadline.UnixMilli(),
		repeated: c.uncertain, message: c.command,
	}
}

// giveUp ends an attempt without an answer, unless that has just come.
func (c *call) giveUp(p *pending, code Code) answer {
	ans, came := c.runtime.replies.forget(p)
	c.runtime.replies.release(p)
	if came {
		return ans
	}
	return answer{code: code}
}
