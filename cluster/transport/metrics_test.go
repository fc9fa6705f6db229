package transport_test

import (
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"ssod/cluster/transport"
)

// gathered are the values with one label, or with none, by the metric's name.
func gathered(t *testing.T, n *testNode, label string) map[string]float64 {
	t.Helper()
	r := prometheus.NewPedanticRegistry()
	if err := r.Register(n.Network); err != nil {
		t.Fatal(err)
	}
	families, err := r.Gather()
	if err != nil {
		t.Fatal(err)
	}
	values := map[string]float64{}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			if l := m.GetLabel(); len(l) == 0 && label == "" || len(l) > 0 && l[0].GetValue() == label {
				values[strings.TrimPrefix(f.GetName(), "ssod_")] = m.GetGauge().GetValue() + m.GetCounter().GetValue()
			}
		}
	}
	return values
}

func TestMetricsShowThePeers(t *testing.T) {
	a, b := start(t, 1), start(t, 2, func(c *transport.Config) {
		c.Clock = func() time.Time { return time.Now().Add(time.Minute) }
	})
	know(t, a, b.peer)
	eventually(t, "the clock is measured", func() bool { return gathered(t, a, "n2")["clock_offset_seconds"] > 59 })
	got := gathered(t, a, "n2")
	if got["transport_connected"] != 1 || got["transport_heard_seconds"] > 20 || len(got) != 6 {
		t.Errorf("connected: got %v", got)
	}
	b.Close()
	eventually(t, "the connection is lost", func() bool { return gathered(t, a, "n2")["transport_connected"] == 0 })
	for range 3 {
		a.Send(2, []byte("lost"))
	}
	eventually(t, "frames are dropped", func() bool { a.Send(2, nil); return gathered(t, a, "n2")["transport_dropped_frames_total"] > 0 })
}
