package faultrun

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"
)

// farAhead is longer than a member may be unseen before it is dropped.
const farAhead = 410 * 24 * time.Hour

// TestOneClockThatLeaps sets one clock of three ahead, and again when only two
// nodes are left, so that nobody can tell which one is wrong. The node that is
// ahead changes nothing by it, and no member is lost.
func TestOneClockThatLeaps(t *testing.T) {
	c := start(t, 3, &Cluster{clocks: true})
	r := Begin(c, "leap", 100)
	glass := newHourglass(r.Load)
	tale := Tell(c, "before")
	leaper := c.leaderOfMeta(c.Nodes[0])
	others := c.others(leaper)
	leaper.MustGiveWay("three", others...)
	r.Finish(t)
	c.AwaitPromise()

	// The next one leads what the first one gave up.
	leaper = c.leaderOfMeta(c.Nodes[0])
	witness, gone := c.others(leaper)[0], c.others(leaper)[1]
	gone.Kill()
	c.until("two lead what the third one led", readyWithin, func() bool {
		v, err := c.view(witness)
		return err == nil && v.ledByOthers(gone)
	})
	leaper.MustGiveWay("two", witness)
	glass.MustRun()
	for _, ahead := range []time.Duration{farAhead, -farAhead} {
		gone.MustBootWith(ahead, witness)
	}
	gone.AwaitReady()
	c.AwaitPromise()
	tale.MustHold()
}

// leaderOfMeta is the node that leads the meta shard, as a node says.
func (c *Cluster) leaderOfMeta(at *Node) *Node {
	c.Helper()
	v, err := c.view(at)
	c.must(err)
	return c.named(v.Shards[0].Leader)
}

// MustGiveWay sets the node's clock far ahead, lets viewers live at the others, and
// sets it right again.
func (n *Node) MustGiveWay(name string, others ...*Node) {
	c := n.cluster
	c.Helper()
	c.dismiss(n)
	v, err := c.view(others[0])
	c.must(err)
	led := v.leads(n)
	at := time.Now()
	n.SetClock(farAhead)
	n.AwaitAdvice("clock", "ahead of")
	c.Logf("%s says so after %v", n, time.Since(at).Round(time.Millisecond))
	if n.Ready() {
		c.Errorf("%s is ready", n)
	}
	c.until(n.Name+" leads nothing", readyWithin, func() bool {
		v, err := c.view(others[0])
		return err == nil && v.ledByOthers(n)
	})
	c.Logf("others lead the %d shards after %v", led, time.Since(at).Round(time.Millisecond))
	meanwhile := Live(c, name)
	if facts := meanwhile.Ledger.Facts(); facts < tellers/2 {
		c.Errorf("only %d viewers of %d were served while a clock was ahead", facts, tellers)
	}
	for _, other := range others {
		for _, name := range []string{"clock", "time", "retention"} {
			if ok, detail := other.Condition(name); !ok {
				c.Errorf("%s, whose clock is right: %s: %s", other, name, detail)
			}
		}
	}
	n.SetClock(0)
	n.AwaitReady()
	n.AwaitHolds("time")
	meanwhile.MustHold()
}

// MustBootWith starts a process on a clock that is wrong until somebody sets it, as
// that of a machine whose battery is empty.
func (n *Node) MustBootWith(ahead time.Duration, witness *Node) {
	c := n.cluster
	c.Helper()
	n.Kill()
	c.until("others lead what "+n.Name+" led", readyWithin, func() bool {
		v, err := c.view(witness)
		return err == nil && v.ledByOthers(n)
	})
	n.SetClock(ahead)
	n.Launch()
	n.AwaitAdvice("clock", "this node's clock is")
	// A lead that was on its way to the process before may still arrive at this one,
	// which hands it on.
	c.until(n.Name+" leads nothing", readyWithin, func() bool {
		v, err := c.view(witness)
		return err == nil && v.ledByOthers(n)
	})
	n.SetClock(0)
	n.AwaitHolds("clock")
	n.AwaitHolds("time")
}

// leads is how many shards a node leads.
func (v *view) leads(n *Node) (shards int) {
	for _, s := range v.Shards {
		if s.Leader == n.Name {
			shards++
		}
	}
	return shards
}

// ledByOthers reports whether every shard has a leader that is not n.
func (v *view) ledByOthers(n *Node) bool {
	ownerless := slices.ContainsFunc(v.Shards, func(s shardView) bool { return s.Leader == "" })
	return len(v.Shards) > Shards && !ownerless && v.leads(n) == 0
}

// TestASingleNodesClockLeaps lets a node sleep for longer than members are kept. It
// serves on, and drops nobody until it is told that the clock is right. When the
// clock goes back, one command lets time go on.
func TestASingleNodesClockLeaps(t *testing.T) {
	// The sweep looks at a single shard as soon as the node has started.
	c := start(t, 1, &Cluster{clocks: true, flags: []string{"--shards", "1", "--drain-delay", "0s"}})
	n := c.Nodes[0]
	tale := Tell(c, "asleep")
	glass := newHourglass(tale.Load)
	restart := func() {
		n.Terminate()
		n.AwaitEnd(readyWithin)
		n.Start()
	}

	n.SetClock(farAhead)
	n.AwaitAdvice("retention", "ssoctl clock accept")
	if err := tale.apps[0].mint(newDevice("early"), "early"); !errors.Is(err, errAnswer) {
		t.Errorf("an access token of last year: %v", err)
	}
	restart()
	n.AwaitAdvice("retention", "ssoctl clock accept")
	tale.ComeBack()
	tale.MustHold()

	t.Log(strings.TrimSpace(n.Operate("clock", "accept")))
	n.AwaitHolds("retention")
	restart()
	n.AwaitHolds("retention")
	tale.MustForget()
	tale.MustHold()

	n.SetClock(0)
	n.AwaitAdvice("time", "ssoctl clock reset")
	if said := n.Operate("status"); !strings.Contains(said, "ssoctl clock reset") {
		t.Errorf("ssoctl status does not say what to do:\n%s", said)
	}
	t.Log(strings.TrimSpace(n.Operate("clock", "reset")))
	n.AwaitHolds("time")
	n.AwaitHolds("retention")
	tale.ComeBack()
	tale.MustHold()
	glass.MustRun()
}
