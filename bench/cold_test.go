package main

import (
	"strings"
	"testing"
	"time"
)

func TestStrangersAreAllDifferent(t *testing.T) {
	const profiles = 5000
	n := &build{bench: &bench{clients: []client{{provider: "tv", bearer: "b"}}}, sent: 17}
	seen := map[string]bool{}
	for range profiles {
		request, _, ok := n.strangers(profiles).Next(nil)
		if !ok {
			t.Fatal("no more requests")
		}
		_, rest, _ := strings.Cut(string(request), "X-SSO-ID: ")
		viewer, _, _ := strings.Cut(rest, "\r\n")
		seen[viewer] = true
	}
	if len(seen) != profiles {
		t.Errorf("%d requests named %d profiles", profiles, len(seen))
	}
}

// TestPairsThatOthersDisturbedDoNotCount: the ratio is the median of the others, with
// an interval around it.
func TestPairsThatOthersDisturbedDoNotCount(t *testing.T) {
	b := &coldBench{coldCommand: &coldCommand{Others: 10}}
	var ours, others []sample
	for i := range 20 {
		fast, slow := slice(100), slice(100)
		fast.serverCPU, slow.serverCPU = 100*50*time.Microsecond, 100*100*time.Microsecond
		if i%4 == 0 {
			fast.serverCPU, fast.others = 100*time.Second, 0.5
		}
		ours, others = append(ours, fast), append(others, slow)
	}
	r := b.pairs("CPU", ours, others, sample.server).mark(0.6)
	if r.Pairs != 15 || r.Dropped != 5 || r.Ratio != 0.5 || r.Low != 0.5 || r.High != 0.5 || !r.Passed {
		t.Errorf("got %+v, want 15 pairs of 0.5", r)
	}
	if r := b.pairs("CPU", nil, nil, sample.server).mark(0.6); r.Passed || r.Ratio.measured() {
		t.Errorf("nothing was measured: got %+v, want no verdict", r)
	}
}
