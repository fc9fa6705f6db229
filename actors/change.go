package actors

import (
	"context"
	"errors"
	"fmt"

	"ssod/cluster"
)

// Change carries out a decision: it commits with the reply as the request's outcome,
// calls Applied, then replies. A request that was carried out before gets its first
// answer instead. A decision without a commit is answered at once when the turn is
// fenced, else after a fence and a second decision. When the commit is rejected or its
// outcome unknown, the entity is loaded afresh and the command delivered again if its
// deadline allows.
//
// The commit blocks the entity's mailbox only: in a goroutine that must not wait the
// command is delivered again to a worker instead. While a commit of Begin is in flight
// the command waits, and is then delivered again.
func (t *Turn) Change(d Decision) {
	a := t.entity
	switch {
	case t.over():
	case a.repeat(t):
	case d.Commit == nil && (t.Fenced() || t.command == nil):
		t.Reply(d.Reply)
	case d.Commit == nil:
		t.Fence()
	case a.committing:
		t.hold()
	case t.borrowed:
		a.post(t.again(false))
	default:
		t.commit(d)
	}
}

// hold keeps the command until the commit in flight has settled.
func (t *Turn) hold() {
	if t.command == nil {
		t.close() // a Tick comes again
		return
	}
	t.Defer()
	t.state.hold()
}

func (t *Turn) commit(d Decision) {
	a := t.entity
	c := *d.Commit
	if t.command != nil {
		result, err := encodeReply(d.Reply)
		if err != nil {
			a.report(t, "answer cannot be kept", "error", err)
			t.finish(answer{code: Code_FAILED})
			return
		}
		c.Outcomes = append(c.Outcomes, cluster.Outcome{Request: t.request, Step: t.step, Result: result})
	}
	err := a.lead.handle.Commit(t.context(), *a.tell(a.based(&c), d.Facts))
	switch {
	case err == nil:
		a.applied(&c)
		if d.Applied != nil {
			d.Applied()
		}
		t.Reply(d.Reply)
	case errors.Is(err, cluster.ErrRefused):
		t.Fail(fmt.Errorf("change: %w", err))
	default:
		t.startOver(err)
	}
}

// startOver delivers the command again to an entity loaded afresh.
func (t *Turn) startOver(err error) {
	a := t.entity
	if t.command == nil {
		t.close()
	} else {
		a.post(t.again(!errors.Is(err, cluster.ErrRejected)))
	}
	a.reset()
}

// based completes c with the entity and the revision it was loaded at or last
// committed.
func (a *activation) based(c *cluster.Commit) *cluster.Commit {
	c.Entity, c.BaseRev = a.target.entity(), a.rev
	return c
}

// context is that of the turn's commit. A worker waits for as long as it takes; a caller
// that runs the turn itself only until its deadline, and then the outcome is unknown.
func (t *Turn) context() context.Context {
	if t.caller != nil {
		return t.caller
	}
	return t.entity.lead.runtime.ctx
}

// applied notes the revision after a commit.
func (a *activation) applied(c *cluster.Commit) {
	a.rev = c.BaseRev + 1
	a.weigh(len(c.State))
	if c.Remove {
		a.rev = 0
	}
}

// committed is the message that a commit of Begin has ended.
type committed struct {
	commit *cluster.Commit
	loads  uint32 // of the entity that began it
	err    error
	then   func(t *Turn, err error)
}

// Begin starts a commit and returns at once; then is called in a later turn of the
// entity. An entity has one commit in flight: another Begin meanwhile is refused. The
// runtime fills in Entity and BaseRev; the outcomes are the entity's own. A refused
// commit certainly changed nothing: the entity keeps its memory, and then must fail what
// waits for the commit, with the error it is given. After any other error the entity is
// loaded afresh and its open turns are delivered again.
func (t *Turn) Begin(c cluster.Commit, then func(t *Turn, err error)) {
	a := t.entity
	done := &committed{commit: a.based(&c), loads: a.loads, then: then}
	started := !a.committing && a.lead.runtime.spawn(func() {
		done.err = a.lead.handle.Commit(a.lead.runtime.ctx, *done.commit)
		if !a.runHere(done) {
			a.post(done)
		}
	})
	if started {
		a.committing = true
		return
	}
	done.commit, done.err = nil, fmt.Errorf("%w: another is in flight", cluster.ErrRefused)
	a.post(done)
}

// settle ends a commit of Begin.
func (a *activation) settle(done *committed) {
	if done.commit != nil {
		a.committing = false
	}
	stale := done.loads != a.loads || a.entity == nil
	if !stale {
		if done.err == nil {
			a.applied(done.commit)
		}
		a.conclude(done)
	}
	if stale || done.err != nil && !errors.Is(done.err, cluster.ErrRefused) {
		a.reset()
	}
	a.releaseHeld()
	if a.leaving {
		a.abandon()
	}
}

// conclude calls the entity back after its commit.
func (a *activation) conclude(done *committed) {
	t := &Turn{entity: a, origin: own}
	defer a.guard(t)
	done.then(t, done.err)
}

// releaseHeld delivers again the commands that waited for the commit.
func (a *activation) releaseHeld() {
	for t := a.open; t != nil; {
		next := t.next
		if t.state.stage == held {
			a.post(t.again(false))
		}
		t = next
	}
}
