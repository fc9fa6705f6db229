package actors

import (
	"context"
	"math/rand/v2"
	"time"
)

// Bounds on what one Ask tries.
const (
	maxAttempts = 32
	maxRefusals = 8 // a third of a second: a leader refuses during a transfer
	firstPause  = 2 * time.Millisecond
	maxPause    = 100 * time.Millisecond
)

// again waits until the next attempt is due: at once when the answer names a newer owner,
// else when the owner changes or after a short pause. It returns false to give up.
func (c *call) again(ctx context.Context, ans answer, moved <-chan struct{}) bool {
	if c.attempts-c.unsent >= maxAttempts || c.runtime.noQuorum(c.shard.id) {
		return false
	}
	if ans.code == Code_REFUSED {
		if c.refusals++; c.refusals >= maxRefusals {
			return false
		}
	}
	if ans.code == codeMoved || ans.code == codeSilent || c.pointed(ans) {
		return true
	}
	now := time.Now()
	if c.stuck.IsZero() {
		c.stuck = now
	}
	left := c.runtime.limits.OwnerWait - now.Sub(c.stuck)
	if ans.code == codeUnreachable {
		c.unsent++
		if owner, _ := c.route(); c.runtime.returns(owner.Address) {
			left += returnTime
		}
	}
	if left <= 0 {
		return false
	}
	return c.wait(ctx, min(c.backoff(), left), moved)
}

// pointed reports whether the answer names a newer owner than this node knows.
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
