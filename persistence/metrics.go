package persistence

import (
	"github.com/prometheus/client_golang/prometheus"

	"ssod/persistence/db"
)

// blocks collects the metrics of the block cache from Pebble.
type blocks struct {
	db      *db.DB
	readers *readers
	size    *prometheus.Desc
	reads   *prometheus.Desc
}

var _ prometheus.Collector = (*blocks)(nil)

func newBlocks(d *db.DB, r *readers) *blocks {
	return &blocks{
		db:      d,
		readers: r,
		size: prometheus.NewDesc("ssod_store_cache_bytes",
			"What is read from disk and kept in memory.", nil, nil),
		reads: prometheus.NewDesc("ssod_store_blocks_total",
			"Blocks of tables that were looked for in the cache, by whether it had them or the disk.", []string{"found"}, nil),
	}
}

func (b *blocks) Describe(to chan<- *prometheus.Desc) {
	to <- b.size
	to <- b.reads
}

func (b *blocks) Collect(to chan<- prometheus.Metric) {
	if b.readers.enter() != nil {
		return
	}
	defer b.readers.leave()
	m := b.db.Metrics().BlockCache
	to <- prometheus.MustNewConstMetric(b.size, prometheus.GaugeValue, float64(m.Size))
	to <- prometheus.MustNewConstMetric(b.reads, prometheus.CounterValue, float64(m.Hits), "cache")
	to <- prometheus.MustNewConstMetric(b.reads, prometheus.CounterValue, float64(m.Misses), "disk")
}
