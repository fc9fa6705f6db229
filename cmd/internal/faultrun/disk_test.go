package faultrun

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

// TestAnEmptyDiskIsReplaced kills a node under load, wipes its disk and starts
// it again: it takes its own place.
func TestAnEmptyDiskIsReplaced(t *testing.T) {
	c := Start(t)
	r := Begin(c, "wipe", rate())
	for range volume(1, 10) {
		victim := c.Nodes[rand.IntN(len(c.Nodes))]
		victim.Kill()
		victim.Wipe()
		at := time.Now()
		victim.Start()
		c.AwaitPromise()
		t.Logf("%s is whole again after %v", victim, time.Since(at).Round(time.Millisecond))
	}
	outlive(c, r)
	r.Finish(t)
}

// TestARemovedNodeIsReplaced kills a node under load, gives it up with ssoctl
// remove, and lets another one join. The one that was removed comes back with all its
// files meanwhile, and stays out until it is readmitted.
func TestARemovedNodeIsReplaced(t *testing.T) {
	c := Start(t)
	r := Begin(c, "remove", rate())
	victim := c.Nodes[rand.IntN(len(c.Nodes))]
	victim.Kill()
	c.until("the node is removed", readyWithin, func() bool {
		_, err := c.Remove(victim, c.others(victim)[0])
		return err == nil
	})
	at := c.others(victim)[0]
	c.Replace(victim, "n4").Start()
	c.AwaitPromise()
	victim.Launch()
	t.Cleanup(victim.Kill)
	c.until("the removed node is refused", readyWithin, func() bool { return strings.Contains(victim.Said(), "ssoctl readmit "+victim.Name) })
	if said, err := at.Ctl("readmit", victim.Name); err != nil {
		t.Errorf("readmit: %v: %s", err, said)
	}
	victim.AwaitReady()
	victim.Kill()
	c.until("it is removed again", readyWithin, func() bool {
		_, err := c.Remove(victim, at)
		return err == nil
	})
	c.AwaitPromise()
	outlive(c, r)
	r.Finish(t)
}

// outlive lets the two older nodes die one after the other: what was acknowledged
// is on the newest too.
func outlive(c *Cluster, r *Run) {
	c.Helper()
	for _, n := range c.Nodes[:2] {
		led := c.ledBy(n)
		at := time.Now()
		n.Kill()
		r.awaitWrites(at, c.others(n), led).Report(c, "kill -9", false)
		n.Start()
		c.AwaitPromise()
	}
}
