package main

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"
)

// spent is a slice of 100 requests that cost cpu each and took so many hops.
func spent(cpu time.Duration, hops float64) costSample {
	s := costSample{sample: slice(100), hops: hops}
	s.serverCPU = 100 * cpu
	return s
}

// planted are costs of two rounds at 8 connections. In the second the machine is
// half as fast.
func planted(three, hop time.Duration) *clusterBench {
	c := newCosts([]int{8})
	for round := range 2 {
		slow := time.Duration(round + 1)
		c.add(refresh, atOwner, 8, spent(slow*30*time.Microsecond, 0))
		c.add(refresh, oneHop, 8, spent(30*time.Microsecond*slow+hop, 1))
		for _, operation := range durables {
			c.add(operation, onOne, 8, spent(slow*100*time.Microsecond, 0))
			c.add(operation, onThree, 8, spent(slow*three, 0.5))
		}
	}
	return &clusterBench{clusterCommand: &clusterCommand{Connections: []int{8}}, costs: c, idle: []float64{0.01, 0.029, 0.02}}
}

func TestCostsAreComparedWithinARound(t *testing.T) {
	const us = time.Microsecond
	for name, tt := range map[string]struct {
		b    *clusterBench
		fail int
	}{
		"cheap":            {planted(180*us, 60*us), 0},
		"dear replication": {planted(181*us, 60*us), 1},
		"dear hops":        {planted(180*us, 61*us), 1},
	} {
		r := tt.b.report()
		var out bytes.Buffer
		r.print(&out)
		if got := strings.Count(out.String(), "FAIL"); got != tt.fail || r.passed() != (tt.fail == 0) {
			t.Errorf("%s: %d rows failed, want %d:\n%s", name, got, tt.fail, out.String())
		}
		last := r.Rows[len(r.Rows)-1]
		if last.Operation != durable || last.Where != onThree || last.Hops != 0.5 {
			t.Errorf("%s: the last row is %+v, want the durable requests on three nodes with half a hop", name, last)
		}
	}
}

// TestASliceThatSaysNothingIsNotJudged: what had no time on the machine is printed
// as a dash, is null in the file and reaches no mark; another round may tell.
func TestASliceThatSaysNothingIsNotJudged(t *testing.T) {
	const us = time.Microsecond
	b := planted(100*us, 10*us)
	starved := spent(0, 0)
	starved.few = true
	hop := b.costs.row(refresh, oneHop, 8)
	hop.samples[1] = starved
	if r := b.report(); !r.passed() {
		t.Errorf("one round of two was not measured: got %+v, want it passed", r.Rows)
	}
	hop.samples[0] = starved
	b.costs.row(link, onThree, 8).samples = []costSample{starved, starved}
	r := b.report()
	var out bytes.Buffer
	r.print(&out)
	if r.passed() || strings.Contains(out.String(), "FAIL") || strings.Count(out.String(), "not measured") != 2 {
		t.Errorf("no round was measured: passed %v, want hops and durable requests unjudged:\n%s", r.passed(), out.String())
	}
	raw, err := json.Marshal(hop.report())
	if err != nil {
		t.Fatal(err)
	}
	var got CostRow
	if err := json.Unmarshal(raw, &got); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(raw), `"cpu_us":null`) || got.CPU.measured() || got.P50.measured() || got.Hops.measured() {
		t.Errorf("figures that were not measured: got %s, want null", raw)
	}
}

func TestACostlyIdleClusterFails(t *testing.T) {
	b := planted(100*time.Microsecond, 0)
	b.idle[1] = 0.03
	if r := b.report(); r.passed() || r.Idle.Passed {
		t.Errorf("0.03 of a core on one node: got %+v, want a failure", r.Idle)
	}
}
