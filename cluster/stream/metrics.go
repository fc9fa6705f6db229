package stream

import (
	"context"
	"errors"
	"io"
	"net"
	"os"

	"github.com/prometheus/client_golang/prometheus"
)

var (
	connectionsDesc = prometheus.NewDesc("ssod_rpc_connections", "Connections that carry messages between the actors of two nodes.", nil, nil)
	waitingDesc     = prometheus.NewDesc("ssod_rpc_waiting_bytes", "Bytes that wait on these connections for other nodes.", nil, nil)
	envelopesDesc   = prometheus.NewDesc("ssod_rpc_envelopes_total", "Commands and answers that were sent to other nodes.", nil, nil)
	writesDesc      = prometheus.NewDesc("ssod_rpc_writes_total", "Writes that carried them.", nil, nil)
	fullDesc        = prometheus.NewDesc("ssod_rpc_overflows_total", "Commands and answers that were refused because too much waited for the other node.", nil, nil)
	refusedDesc     = prometheus.NewDesc("ssod_rpc_refused_total", "Connections to the rpc port that were ended: silent (nothing was proven in time), evicted (many came at once), secret, protocol, registry (not a member, or not any more), version, oversized, truncated, checksum, kind, envelope (what came is not what nodes send), other.", []string{"reason"}, nil)
	handshakesDesc  = prometheus.NewDesc("ssod_rpc_handshakes", "Connections to the rpc port whose other side has not proven yet that it is a node.", nil, nil)
)

// reason is why a connection was ended.
type reason int

const (
	silent reason = iota
	evicted
	noSecret
	noProtocol
	noMember
	version
	oversized
	truncated
	checksum
	noKind
	noEnvelope
	other
	reasons // how many there are
)

func (r reason) String() string {
	return [reasons]string{
		"silent", "evicted", "secret", "protocol", "registry",
		"version", "oversized", "truncated", "checksum", "kind", "envelope", "other",
	}[r]
}

func reasonOf(err error) reason {
	for _, r := range []struct {
		is  error
		why reason
	}{
		{ErrTruncated, truncated},
		{net.ErrClosed, silent},
		{context.DeadlineExceeded, silent},
		{os.ErrDeadlineExceeded, silent},
		{io.EOF, silent},
		{io.ErrUnexpectedEOF, silent},
		{errSecret, noSecret},
		{errProtocol, noProtocol},
		{ErrStranger, noMember},
		{ErrVersion, version},
		{ErrOversized, oversized},
		{ErrChecksum, checksum},
		{ErrKind, noKind},
		{ErrEnvelope, noEnvelope},
	} {
		if errors.Is(err, r.is) {
			return r.why
		}
	}
	return other
}

// Describe implements [prometheus.Collector].
func (n *Node) Describe(ds chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{connectionsDesc, waitingDesc, envelopesDesc, writesDesc, fullDesc, refusedDesc, handshakesDesc} {
		ds <- d
	}
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
	for r := range reasons {
		count := n.refusals[r].Load()
		if r == evicted {
			count = n.evicts.Load()
		}
		ms <- prometheus.MustNewConstMetric(refusedDesc, prometheus.CounterValue, float64(count), r.String())
	}
}
