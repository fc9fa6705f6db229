package faultrun

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"
)

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
			cpu, err := n.Process.CPU()
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
		status, text := n.Page("/metrics")
		if status != http.StatusOK {
			c.Fatalf("the metrics of %s: %d", n, status)
		}
		for line := range strings.Lines(text) {
			if strings.HasPrefix(line, "ssod_actor_hops_total{") { // by kind
				hops, err := strconv.ParseFloat(strings.TrimSpace(line[strings.LastIndexByte(line, ' '):]), 64)
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
