package node

import (
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"ssod/cluster"
	"ssod/cluster/faulty"
)

// counted is what the metrics of a node say: how many shards it leads, and how
// many leaderships came to it.
func counted(t *testing.T, r prometheus.Gatherer) (led, moves float64) {
	t.Helper()
	families, err := r.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			led += m.GetGauge().GetValue()
			moves += m.GetCounter().GetValue()
		}
	}
	return led, moves
}

func TestLeadershipsAreCounted(t *testing.T) {
	truth := faulty.New(faulty.Options{})
	a, b := truth.Node("a:1"), truth.Node("b:1")
	l := newLeads(a)
	defer l.watch()()
	r := prometheus.NewPedanticRegistry()
	if err := r.Register(l); err != nil {
		t.Fatal(err)
	}
	all := float64(a.Count() + 1)
	if led, moves := counted(t, r); led != all || moves != all {
		t.Errorf("at first: leads %v, moves %v, want %v of both", led, moves, all)
	}
	truth.Move(cluster.MetaShard, b)
	if led, moves := counted(t, r); led != all-1 || moves != all {
		t.Errorf("without the meta shard: leads %v, moves %v", led, moves)
	}
	truth.Move(cluster.MetaShard, a)
	if led, moves := counted(t, r); led != all || moves != all+1 {
		t.Errorf("with it again: leads %v, moves %v", led, moves)
	}
}
