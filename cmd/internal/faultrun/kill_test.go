package faultrun

import (
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"
)

// long says that the volumes of a long run are wanted, and that times are
// judged.
func long() bool { return os.Getenv("SSOD_LONG") != "" }

// volume is n, or more in a long run. SSOD_FAULT_ROUNDS overrules both.
func volume(n, inLongRun int) int {
	if rounds, err := strconv.Atoi(os.Getenv("SSOD_FAULT_ROUNDS")); err == nil {
		return rounds
	}
	if long() {
		return inLongRun
	}
	return n
}

// rate is how many calls per second there are: what two cores carry beside other
// tests, or more in a long run. SSOD_FAULT_RATE overrules both.
func rate() int {
	if perSecond, err := strconv.Atoi(os.Getenv("SSOD_FAULT_RATE")); err == nil {
		return perSecond
	}
	if long() {
		return 2000
	}
	return 500
}

// TestAnyNodeMayDie kills a random node under load, again and again. What it led
// is led by others within moments, and nothing that was acknowledged is gone.
func TestAnyNodeMayDie(t *testing.T) {
	c := Start(t)
	r := Begin(c, "kill", rate())
	var failover Failover
	for range volume(2, 50) {
		victim := c.Nodes[rand.IntN(len(c.Nodes))]
		led := c.ledBy(victim)
		at := time.Now()
		victim.Kill()
		failover = append(failover, r.awaitWrites(at, c.others(victim), led)...)
		victim.Start()
		c.AwaitPromise()
	}
	r.Finish(t)
	failover.Report(t, "kill -9", long())
}

// TestAllNodesMayDie kills all three at once under load and starts them again.
func TestAllNodesMayDie(t *testing.T) {
	c := Start(t)
	r := Begin(c, "all", rate())
	for range volume(1, 10) {
		<-time.After(time.Duration(rand.Int64N(int64(time.Second)))) // the moment is the input of this test
		for _, n := range c.Nodes {
			n.Kill()
		}
		at := time.Now()
		for _, n := range c.Nodes {
			n.Launch()
		}
		for _, n := range c.Nodes {
			n.AwaitReady()
		}
		t.Logf("ready again after %v", time.Since(at).Round(time.Millisecond))
		c.AwaitPromise()
	}
	r.Finish(t)
}
