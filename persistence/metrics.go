package persistence

import (
	"errors"

	"github.com/prometheus/client_golang/prometheus"
)

// blocks tells what the cache of blocks does. It asks Pebble when it is asked.
type blocks struct {
	store *Store
	size  *prometheus.Desc
	reads *prometheus.Desc
}

var _ prometheus.Collector = (*blocks)(nil)

func newBlocks(s *Store) *blocks {
	return &blocks{
		store: s,
		size: prometheus.NewDesc("ssod_store_cache_bytes",
			"What is read from disk and kept in memory.", nil, nil),
		reads: prometheus.NewDesc("ssod_store_blocks_total",
			"Blocks of tables that were looked for in the cache, by whether it had them or the disk.", []string{"found"}, nil),
	}
}

// Describe implements [prometheus.Collector].
func (b *blocks) Describe(to chan<- *prometheus.Desc) {
	to <- b.size
	to <- b.reads
}

// Collect implements [prometheus.Collector].
func (b *blocks) Collect(to chan<- prometheus.Metric) {
	if b.store.readers.enter() != nil {
		return
	}
	defer b.store.readers.leave()
	m := b.store.db.Metrics().BlockCache
	to <- prometheus.MustNewConstMetric(b.size, prometheus.GaugeValue, float64(m.Size))
	to <- prometheus.MustNewConstMetric(b.reads, prometheus.CounterValue, float64(m.Hits), "cache")
	to <- prometheus.MustNewConstMetric(b.reads, prometheus.CounterValue, float64(m.Misses), "disk")
}

// register registers the metrics of the store.
func (s *Store) register() error {
	if s.opts.Registerer == nil {
		return nil
	}
	s.blocks = newBlocks(s)
	s.unflushed = prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "ssod_store_unflushed_bytes",
		Help: "Memory of what was applied and is in the log only; over an eighth of --memory (256 MiB at most) changes are refused.",
	}, func() float64 { return float64(s.dirty.Load()) })
	return errors.Join(s.opts.Registerer.Register(s.blocks), s.opts.Registerer.Register(s.unflushed))
}

func (s *Store) unregister() {
	if s.blocks != nil {
		s.opts.Registerer.Unregister(s.blocks)
		s.opts.Registerer.Unregister(s.unflushed)
	}
}
