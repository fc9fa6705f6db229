package transport

import (
	"context"
	"io"
	"net"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"ssod/cluster/proof"
)

// What is known of each peer, by its name.
var (
	connectedDesc = prometheus.NewDesc("ssod_transport_connected", "1 while frames go to the other node.", []string{"node"}, nil)
	heardDesc     = prometheus.NewDesc("ssod_transport_heard_seconds", "Time since anything came from the other node.", []string{"node"}, nil)
	queuedDesc    = prometheus.NewDesc("ssod_transport_queued_bytes", "Frames that wait for the other node.", []string{"node"}, nil)
	droppedDesc   = prometheus.NewDesc("ssod_transport_dropped_frames_total", "Frames for the other node that were dropped.", []string{"node"}, nil)
	copiesDesc    = prometheus.NewDesc("ssod_transport_copies_refused_total", "Processes that were refused as the other node: its data is from a copy, or it runs twice.", []string{"node"}, nil)
	offsetDesc    = prometheus.NewDesc("ssod_clock_offset_seconds", "How far the other node's clock is ahead of this one's.", []string{"node"}, nil)
)

var handshakesDesc = prometheus.NewDesc("ssod_transport_handshakes", "Connections to the raft port whose other side has not proven yet that it is a node.", nil, nil)

// newRefusals counts connections of others.
func newRefusals() proof.Refusals {
	return proof.NewRefusals("ssod_transport_refused_total", "Connections of others to the raft port that were ended: silent (nothing was proven in time), evicted (many came at once), secret, protocol, registry (not a member, or not any more), level (a version that does not know the cluster's format level), other.", []proof.Reason{
		{Name: "silent", Errors: []error{net.ErrClosed, context.DeadlineExceeded, io.EOF, io.ErrUnexpectedEOF}},
		{Name: "secret", Errors: []error{ErrSecret}},
		{Name: "protocol", Errors: []error{ErrProtocol}},
		{Name: "registry", Errors: []error{ErrCluster, ErrNode, ErrRemoved, ErrUnregistered, ErrCertificate}},
		{Name: "level", Errors: []error{ErrLevel}},
	})
}

// Describe implements [prometheus.Collector].
func (n *Network) Describe(ds chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{connectedDesc, heardDesc, queuedDesc, droppedDesc, copiesDesc, offsetDesc, handshakesDesc} {
		ds <- d
	}
	n.refusals.Describe(ds)
}

// Collect implements [prometheus.Collector]: what is known when it is asked for.
func (n *Network) Collect(ms chan<- prometheus.Metric) {
	n.refusals.Collect(ms)
	ms <- prometheus.MustNewConstMetric(handshakesDesc, prometheus.GaugeValue, float64(n.porch.standing()))
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
