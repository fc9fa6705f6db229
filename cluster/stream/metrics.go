package stream

import (
	"context"
	"io"
	"net"
	"os"

	"github.com/prometheus/client_golang/prometheus"

	"ssod/cluster/proof"
)

var (
	connectionsDesc = prometheus.NewDesc("ssod_rpc_connections", "Connections that carry messages between the actors of two nodes.", nil, nil)
	waitingDesc     = prometheus.NewDesc("ssod_rpc_waiting_bytes", "Bytes that wait on these connections for other nodes.", nil, nil)
	envelopesDesc   = prometheus.NewDesc("ssod_rpc_envelopes_total", "Commands and answers that were sent to other nodes.", nil, nil)
	writesDesc      = prometheus.NewDesc("ssod_rpc_writes_total", "Writes that carried them.", nil, nil)
	fullDesc        = prometheus.NewDesc("ssod_rpc_overflows_total", "Commands and answers that were refused because too much waited for the other node.", nil, nil)
	handshakesDesc  = prometheus.NewDesc("ssod_rpc_handshakes", "Connections to the rpc port whose other side has not proven yet that it is a node.", nil, nil)
)

// newRefusals counts connections of others.
func newRefusals() proof.Refusals {
	return proof.NewRefusals("ssod_rpc_refused_total", "Connections to the rpc port that were ended: silent (nothing was proven in time), evicted (many came at once), secret, protocol, registry (not a member, or not any more), version, oversized, truncated, checksum, kind, envelope (what came is not what nodes send), other.", []proof.Reason{
		{Name: "truncated", Errors: []error{ErrTruncated}},
		{Name: "silent", Errors: []error{net.ErrClosed, context.DeadlineExceeded, os.ErrDeadlineExceeded, io.EOF, io.ErrUnexpectedEOF}},
		{Name: "secret", Errors: []error{proof.ErrSecret}},
		{Name: "protocol", Errors: []error{proof.ErrProtocol}},
		{Name: "registry", Errors: []error{ErrStranger}},
		{Name: "version", Errors: []error{ErrVersion}},
		{Name: "oversized", Errors: []error{ErrOversized}},
		{Name: "checksum", Errors: []error{ErrChecksum}},
		{Name: "kind", Errors: []error{ErrKind}},
		{Name: "envelope", Errors: []error{ErrEnvelope}},
	})
}

// Describe implements [prometheus.Collector].
func (n *Node) Describe(ds chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{connectionsDesc, waitingDesc, envelopesDesc, writesDesc, fullDesc, handshakesDesc} {
		ds <- d
	}
	n.refusals.Describe(ds)
}

// Collect implements [prometheus.Collector].
func (n *Node) Collect(ms chan<- prometheus.Metric) {
	connections, waiting := 0, 0
	n.each(func(l *Link) {
		l.mu.Lock()
		defer l.mu.Unlock()
		if l.up {
			connections++
		}
		waiting += l.waiting
	})
	for d, value := range map[*prometheus.Desc]int{connectionsDesc: connections, waitingDesc: waiting, handshakesDesc: n.callers.waiting()} {
		ms <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, float64(value))
	}
	for d, value := range map[*prometheus.Desc]uint64{envelopesDesc: n.envelopes.Load(), writesDesc: n.writes.Load(), fullDesc: n.full.Load()} {
		ms <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(value))
	}
	n.refusals.Collect(ms)
}
