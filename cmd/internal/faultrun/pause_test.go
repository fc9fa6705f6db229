package faultrun

import (
	"math/rand/v2"
	"testing"
	"time"
)

// unnoticed is for how long clients go on to use a node that is paused.
const unnoticed = 300 * time.Millisecond

// TestAPausedOwnerServesNothingStale stops the process of an owner and lets it
// go on long after others have taken over. What it is asked in that moment it
// does not answer from its old memory, and nothing that it had begun counts.
func TestAPausedOwnerServesNothingStale(t *testing.T) {
	pause := 5 * time.Second
	if long() {
		pause = 30 * time.Second
	}
	c := Start(t)
	r := Begin(c, "pause", rate())
	var failover Failover
	for range volume(1, 10) {
		owner := c.Nodes[rand.IntN(len(c.Nodes))]
		led := c.ledBy(owner)
		witnesses := r.witnesses(led)
		over := time.After(pause)
		at := time.Now()
		owner.Pause()
		time.AfterFunc(unnoticed, func() { c.dismiss(owner) })
		failover = append(failover, r.awaitWrites(at, c.others(owner), led)...)
		r.eachMust(witnesses, (*witness).change)
		<-over
		answered := r.questionAll(owner, witnesses) // they wait in its sockets
		r.contest.stubborn.Store(owner)
		c.enlist(owner)
		<-time.After(unnoticed)
		owner.Resume()
		answered()
		c.AwaitPromise()
		r.contest.stubborn.Store(nil)
		r.questionAll(owner, witnesses)()
	}
	r.Finish(t)
	failover.Report(t, "paused", long())
}
