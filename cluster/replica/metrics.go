package replica

import "github.com/prometheus/client_golang/prometheus"

type metrics struct {
	seconds prometheus.Histogram
	size    prometheus.Histogram
}

func (m *metrics) register(r prometheus.Registerer) error {
	m.seconds = prometheus.NewHistogram(prometheus.HistogramOpts{
		Name:    "ssod_store_commit_seconds",
		Help:    "Time from the queue to the answer of a commit.",
		Buckets: prometheus.ExponentialBuckets(0.0001, 2, 16),
	})
	m.size = prometheus.NewHistogram(prometheus.HistogramOpts{
		Name:    "ssod_store_batch_size",
		Help:    "Log writes that shared one write and one fsync.",
		Buckets: prometheus.ExponentialBuckets(1, 2, 11),
	})
	if r == nil {
		return nil
	}
	if err := r.Register(m.seconds); err != nil {
		return err
	}
	return r.Register(m.size)
}

func (m *metrics) unregister(r prometheus.Registerer) {
	if r != nil {
		r.Unregister(m.seconds)
		r.Unregister(m.size)
	}
}
