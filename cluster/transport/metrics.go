package transport

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// What is known of each peer, by its name.
var (
	connectedDesc = prometheus.NewDesc("ssod_transport_connected", "1 while frames go to the other node.", []string{"node"}, nil)
	heardDesc     = prometheus.NewDesc("ssod_transport_heard_seconds", "Time since anything came from the other node.", []string{"node"}, nil)
	queuedDesc    = prometheus.NewDesc("ssod_transport_queued_bytes", "Frames that wait for the other node.", []string{"node"}, nil)
	droppedDesc   = prometheus.NewDesc("ssod_transport_dropped_frames_total", "Frames for the other node that were dropped.", []string{"node"}, nil)
	copiesDesc    = prometheus.NewDesc("ssod_transport_copies_refused_total", "Processes that came as the other node and were refused: its data restored from a copy, or a second one of it.", []string{"node"}, nil)
	offsetDesc    = prometheus.NewDesc("ssod_clock_offset_seconds", "How far the other node's clock is ahead of this one's.", []string{"node"}, nil)
)

// Describe implements [prometheus.Collector].
func (n *Network) Describe(ds chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{connectedDesc, heardDesc, queuedDesc, droppedDesc, copiesDesc, offsetDesc} {
		ds <- d
	}
}

// Collect implements [prometheus.Collector]: what is known when it is asked for.
func (n *Network) Collect(ms chan<- prometheus.Metric) {
	for _, p := range n.Peers() {
		gauge := func(d *prometheus.Desc, value float64) {
			ms <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value, p.Name)
		}
		connected := 0.0
		if p.Connected {
			connected = 1
		}
		gauge(connectedDesc, connected)
		gauge(queuedDesc, float64(p.Waiting))
		ms <- prometheus.MustNewConstMetric(droppedDesc, prometheus.CounterValue, float64(p.Dropped), p.Name)
		ms <- prometheus.MustNewConstMetric(copiesDesc, prometheus.CounterValue, float64(p.Copies), p.Name)
		if !p.Heard.IsZero() {
			gauge(heardDesc, time.Since(p.Heard).Seconds())
		}
		if p.Trip > 0 {
			gauge(offsetDesc, p.Offset.Seconds())
		}
	}
}
