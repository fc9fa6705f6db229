package faultrun

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// drainWithin is the mark of a drain, in long runs.
const drainWithin = time.Minute

// TestGrowAndShrink has two nodes join three under load and drains them again, several
// times in a long run. No call fails, and nothing that was acknowledged is lost.
func TestGrowAndShrink(t *testing.T) {
	unharmed(t, "growing and shrinking", func(t *testing.T, calls int) (failed int) {
		c := Start(t, "--drain-delay", drain)
		r := Begin(c, "scale", calls)
		from := time.Now()
		<-time.After(calm)
		before := r.Latency(from, time.Now(), nil)
		t.Logf("before: %v", before)
		from = time.Now()
		for range volume(1, 3) {
			c.grow(2)
			for range 2 {
				took := c.shrink(c.Nodes[len(c.Nodes)-1])
				if long() && took > drainWithin {
					t.Errorf("a drain took %v", took)
				}
			}
			c.AwaitPromise()
		}
		during := r.Latency(from, time.Now(), nil)
		t.Logf("during: %v", during)
		if long() && during.Most > joinMost*max(before.Most, joinLeast) {
			t.Errorf("p99 %v; want at most %d x %v", during.Most, joinMost, before.Most)
		}
		r.Finish(t)
		return r.Failed()
	})
}

// TestFromOneToThreeAndBack lets two nodes join one and takes them out again, which is
// refused until each shard may have one copy.
func TestFromOneToThreeAndBack(t *testing.T) {
	unharmed(t, "one, three and one", func(t *testing.T, calls int) (failed int) {
		c := StartOne(t, "--drain-delay", drain)
		r := Begin(c, "one", calls)
		c.grow(2)
		c.AwaitPromise()
		first := c.Nodes[0]
		if said, err := c.operate(first, "drain", "n3"); err == nil || !strings.Contains(said, "replicas") {
			t.Errorf("two nodes cannot hold three copies, and a drain is answered %q, %v", said, err)
		}
		said, err := c.operate(first, "cluster", "set", "replicas=1")
		if err != nil {
			t.Fatalf("cluster set replicas=1: %v: %s", err, said)
		}
		for range 2 {
			c.shrink(c.Nodes[len(c.Nodes)-1])
		}
		r.Finish(t)
		return r.Failed()
	})
}

// TestTwoDieDuringADrain kills two nodes of five at once, while a third is drained. When
// they are back the drain goes on and nothing is lost.
func TestTwoDieDuringADrain(t *testing.T) {
	c := Start(t, "--drain-delay", drain)
	c.grow(2)
	r := Begin(c, "drain", min(rate(), restartRate))
	for range volume(1, 5) {
		leaving, victims := c.Nodes[4], c.Nodes[1:3]
		said, err := c.operate(c.Nodes[0], "drain", leaving.Name, "--no-wait")
		if err != nil {
			t.Fatalf("drain: %v: %s", err, said)
		}
		c.dismiss(leaving)
		c.until("the first copies have left "+leaving.Name, readyWithin, func() bool {
			v, err := c.view(c.Nodes[0])
			return err == nil && len(v.heldBy(leaving)) <= Shards*3/5-2
		})
		for _, n := range victims {
			n.Kill()
		}
		<-time.After(warmth)
		for _, n := range victims {
			n.Start()
		}
		c.AwaitLeft(leaving)
		said, err = c.operate(c.Nodes[0], "undrain", leaving.Name)
		if err != nil {
			t.Fatalf("undrain: %v: %s", err, said)
		}
		leaving.AwaitReady()
		c.AwaitBalance()
	}
	r.Finish(t)
}

// TestFromFiveToSevenWithAKill kills a node in the middle of the moves to two new ones.
func TestFromFiveToSevenWithAKill(t *testing.T) {
	if !long() {
		t.Skip("seven processes; SSOD_LONG=1 runs it")
	}
	c := Start(t, "--drain-delay", drain)
	c.grow(2)
	r := Begin(c, "seven", rate()/4)
	for range 2 {
		c.Add().Start()
	}
	v, err := c.view(c.Nodes[0])
	c.must(err)
	victim := c.Nodes[2]
	at := time.Now()
	victim.Kill()
	left := c.others(victim)
	failover := r.awaitWrites(at, left, v.ledBy([]*Node{victim}))
	victim.Start()
	c.AwaitBalance()
	r.Finish(t)
	failover.Report(t, "kill -9 during moves", true)
}

// TestCPUOfMoreNodes serves the same load with three, five and seven nodes and compares
// the processor time of a call, without what the nodes take when nobody calls.
func TestCPUOfMoreNodes(t *testing.T) {
	if !long() {
		t.Skip("a measurement of minutes; SSOD_LONG=1 runs it")
	}
	c := Start(t)
	const span, perSecond = 20 * time.Second, 400
	var first time.Duration
	for {
		c.AwaitBalance()
		<-time.After(2 * warmth)
		idle := c.busy(span)
		l := NewLoad(c, fmt.Sprint("cpu", len(c.Nodes)))
		l.Begin(perSecond)
		<-time.After(2 * warmth)
		before, hopsBefore := l.answered(), c.hops()
		busy := c.busy(span)
		calls, hops := l.answered()-before, c.hops()-hopsBefore
		l.End()
		each := (busy - idle) / time.Duration(max(calls, 1))
		t.Logf("nodes=%d calls=%d cpu_per_call=%v idle_cpu_per_second=%v hops_per_call=%.2f",
			len(c.Nodes), calls, each, idle/time.Duration(span/time.Second), hops/float64(max(calls, 1)))
		if first == 0 {
			first = each
		}
		if each > first*115/100 {
			t.Errorf("a call costs %v with %d nodes, %v with three; want at most 15 %% more", each, len(c.Nodes), first)
		}
		if len(c.Nodes) == 7 {
			return
		}
		for range 2 {
			c.Add().Start()
		}
	}
}

// busy is the processor time that all nodes take in a span of time.
func (c *Cluster) busy(span time.Duration) (sum time.Duration) {
	c.Helper()
	all := func() (sum time.Duration) {
		for _, n := range c.Nodes {
			cpu, err := n.process.CPU()
			c.must(err)
			sum += cpu
		}
		return sum
	}
	before := all()
	<-time.After(span)
	return all() - before
}

// hops is how many commands the nodes have sent to each other.
func (c *Cluster) hops() (sum float64) {
	c.Helper()
	for _, n := range c.Nodes {
		a, err := c.api.page(n.Admin, "/metrics")
		c.must(err)
		for line := range strings.Lines(string(a.body)) {
			if value, ok := strings.CutPrefix(line, "ssod_actor_hops_total "); ok {
				hops, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
				c.must(err)
				sum += hops
			}
		}
	}
	return sum
}

// answered is how many calls were answered so far.
func (l *Load) answered() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.answers)
}

// unharmed plays something under load until no call fails, with less load each time: a
// machine that stalls makes calls fail that nothing else is to blame for. In a long run
// it is played once.
func unharmed(t *testing.T, what string, play func(t *testing.T, calls int) (failed int)) {
	t.Helper()
	calls := rate()
	if !long() {
		calls = min(calls, restartRate)
	}
	for range tries {
		var failed int
		t.Run(fmt.Sprint(calls, " calls per second"), func(t *testing.T) { failed = play(t, calls) })
		if failed == 0 || t.Failed() {
			return
		}
		if long() {
			break
		}
		calls /= 2
	}
	t.Errorf("%s made calls fail", what)
}

// grow lets nodes join, one after the other, and waits until each has its share.
func (c *Cluster) grow(nodes int) {
	c.Helper()
	for range nodes {
		from := time.Now()
		n := c.Add()
		n.Start()
		if len(c.Nodes) > 2 {
			c.AwaitBalance()
		}
		c.Logf("%s joined in %v", n, time.Since(from).Round(time.Millisecond))
	}
}

// shrink drains a node and ends it, and returns what the drain took. Clients use it
// for as long as it says that it is ready.
func (c *Cluster) shrink(n *Node) time.Duration {
	c.Helper()
	from := time.Now()
	said, err := c.operate(c.others(n)[0], "drain", n.Name, "--no-wait")
	if err != nil {
		c.Fatalf("drain %s: %v: %s", n, err, said)
	}
	c.until(n.Name+" is not ready any more", readyWithin, func() bool { return !n.ready() })
	c.dismiss(n)
	c.AwaitLeft(n)
	took := time.Since(from)
	n.Terminate()
	n.AwaitEnd(readyWithin)
	c.Nodes = c.others(n)
	c.Logf("%s left in %v", n, took.Round(time.Millisecond))
	return took
}

// AwaitLeft waits until a node that is drained has left.
func (c *Cluster) AwaitLeft(n *Node) {
	c.Helper()
	c.until(n.Name+" has left", readyWithin, func() bool {
		v, err := c.view(c.others(n)[0])
		return err == nil && v.state(n) == "left" && len(v.heldBy(n)) == 0
	})
}

// heldBy are the data shards of which a node has a copy.
func (v *view) heldBy(n *Node) (shards []int) {
	for _, s := range v.Shards {
		if s.Shard > 0 && (slices.Contains(s.Replicas, n.Name) || slices.Contains(s.Learners, n.Name)) {
			shards = append(shards, s.Shard)
		}
	}
	return shards
}
