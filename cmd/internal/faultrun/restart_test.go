package faultrun

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"
)

// restartRate is the load of the short form: where a machine cannot serve what
// comes, requests fail that no restart is to blame for.
const restartRate = 500

// strays is how many of the short form's 6,000 requests may fail. None is the
// aim, and the mark of the long form, which is played once.
const strays = 1

// drain is longer than a load balancer needs to see that a node is not ready.
const drain = "1s"

// A machine on which half of all answers take longer than this has too little
// left for the nodes: typically it is a tenth. It gets half of the load.
const starved = 25 * time.Millisecond

// tries is how often the short form is played until it succeeds: on a machine that
// stalls, leads change and requests fail that no restart is to blame for. A restart
// that makes them fail does so each time.
const tries = 5

// TestRollingRestart stops and starts one node after another under load, and
// clients go where it is ready, as behind a load balancer. No request fails, and
// none is repeated.
func TestRollingRestart(t *testing.T) {
	allowed, calls := 0, rate()
	if !long() {
		allowed, calls = strays, min(calls, restartRate)
	}
	for range tries {
		var failed int
		var typical time.Duration
		t.Run(fmt.Sprint(calls, " calls per second"), func(t *testing.T) { failed, typical = rollingRestart(t, calls) })
		if failed <= allowed {
			return
		}
		if long() {
			break
		}
		if typical >= starved {
			calls /= 2
		}
	}
	t.Error("a rolling restart made requests fail")
}

// rollingRestart returns how many requests failed and the median of what they
// took.
func rollingRestart(t *testing.T, calls int) (failed int, typical time.Duration) {
	t.Helper()
	c := Start(t, "--drain-delay", drain)
	stop := balance(c)
	r := Begin(c, "restart", calls)
	for range volume(1, 10) {
		for _, n := range c.Nodes {
			n.Terminate()
			n.AwaitEnd(readyWithin)
			n.Start()
			c.AwaitPromise()
		}
	}
	r.Finish(t)
	stop()
	failed, typical = r.Failed(), r.Typical()
	t.Logf("%d requests failed; half were answered within %v", failed, typical)
	return failed, typical
}

// balancePace is how often a load balancer asks nodes whether they are ready.
const balancePace = 50 * time.Millisecond

// unreadyAfter is how often in a row a node must not be ready before a load balancer
// sends nothing to it.
const unreadyAfter = 2

// balance lets clients use those nodes that are ready, from now on.
func balance(c *Cluster) (stop func()) {
	ctx, cancel := context.WithCancel(c.Context())
	var task sync.WaitGroup
	task.Go(func() {
		pace := time.NewTicker(balancePace)
		defer pace.Stop()
		unready := map[*Node]int{}
		for ctx.Err() == nil {
			for _, n := range c.Nodes {
				why := n.Unready()
				switch unready[n]++; {
				case why == "":
					unready[n] = 0
					c.enlist(n)
				case unready[n] == unreadyAfter:
					c.Logf("%s is not used any more: %s", n, why)
					c.dismiss(n)
				}
			}
			<-pace.C
		}
	})
	return func() { cancel(); task.Wait() }
}
