package actors_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"ssod/actors"
	"ssod/cluster/faulty"
)

func TestMetrics(t *testing.T) {
	registry := prometheus.NewPedanticRegistry()
	r := start(t, faulty.New(faulty.Options{}).Node("a:1"), &probe{}, func(c *actors.Config) { c.Metrics = registry })
	for n := range 128 { // one in 64 waits is measured
		ask(t, r, address("x"), request(n), ping)
	}
	ask(t, r, address("y"), request(1000), add(1))
	want := map[string]float64{
		"ssod_actor_active counter":                    2,
		"ssod_actor_hops_total counter":                0, // nobody else is there
		"ssod_actor_messages_total counter Empty":      128,
		"ssod_actor_messages_total counter Int64Value": 1,
		"ssod_actor_mailbox_seconds":                   2,
	}
	for _, why := range []string{"time", "stall", "bytes", "node", "entities"} {
		want["ssod_actor_refused_total counter "+why] = 0
	}
	if diff := cmp.Diff(want, gather(t, registry)); diff != "" {
		t.Errorf("metrics (-want +got):\n%s", diff)
	}
	stop(t, r)
	if left := gather(t, registry); len(left) != 0 {
		t.Errorf("after Stop: %v", left)
	}
}

// gather returns each series by name and label values; of a histogram, how
// often it was observed.
func gather(t *testing.T, registry *prometheus.Registry) map[string]float64 {
	t.Helper()
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]float64{}
	for _, f := range families {
		for _, m := range f.Metric {
			name := f.GetName()
			for _, label := range m.Label {
				name += fmt.Sprint(" ", label.GetValue())
			}
			got[name] = m.GetGauge().GetValue() + m.GetCounter().GetValue() + float64(m.GetHistogram().GetSampleCount())
		}
	}
	return got
}
