package replica

import "github.com/prometheus/client_golang/prometheus"

type metrics struct {
	seconds   prometheus.Histogram
	size      prometheus.Histogram
	flush     prometheus.Histogram
	snapshots *prometheus.CounterVec
	age, slow prometheus.GaugeFunc
	fences    fences
}

// watch makes the metrics that are read from the engine.
func (m *metrics) watch(e *Engine) {
	m.fences = fences{e}
	m.age = prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "ssod_disk_write_age_seconds",
		Help: "Age of the oldest write to the disk that is under way; 0 when there is none.",
	}, func() float64 { return e.Disk().Age.Seconds() })
	m.slow = prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "ssod_disk_slow",
		Help: "1 while this node leads nothing that another can lead, because its disk takes too long.",
	}, func() float64 {
		if d := e.Disk(); d.Slow || d.Lags {
			return 1
		}
		return 0
	})
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
	m.flush = prometheus.NewHistogram(prometheus.HistogramOpts{
		Name:    "ssod_store_flush_seconds",
		Help:    "Time to write the newest states of all changed entities, after which logs are truncated.",
		Buckets: prometheus.ExponentialBuckets(0.001, 2, 14),
	})
	m.snapshots = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "ssod_shard_snapshots_total",
		Help: "Snapshots of shards that were sent to replicas which lag too far behind (sent), that did not get there (failed), or that were installed here (installed).",
	}, []string{"what"})
	if r == nil {
		return nil
	}
	for _, c := range m.collectors() {
		if err := r.Register(c); err != nil {
			return err
		}
	}
	return nil
}

func (m *metrics) collectors() []prometheus.Collector {
	return []prometheus.Collector{m.seconds, m.size, m.flush, m.snapshots, m.age, m.slow, m.fences}
}

func (m *metrics) unregister(r prometheus.Registerer) {
	if r == nil {
		return
	}
	for _, c := range m.collectors() {
		r.Unregister(c)
	}
}

// fences exports [core.FenceCounts].
type fences struct{ e *Engine }

var fencesDesc = prometheus.NewDesc("ssod_shard_fences_total",
	"Questions to other nodes whether they still follow (asked), reads that the answers let pass (barriers), answers that did not come in time (late), and shards that this node was asked about and did not follow in that term (refused).",
	[]string{"what"}, nil)

// Describe implements [prometheus.Collector].
func (fences) Describe(out chan<- *prometheus.Desc) { out <- fencesDesc }

// Collect implements [prometheus.Collector].
func (f fences) Collect(out chan<- prometheus.Metric) {
	f.e.turn.Lock()
	n := f.e.core.FenceCounts()
	f.e.turn.Unlock()
	for what, n := range map[string]uint64{"asked": n.Asked, "barriers": n.Barriers, "late": n.Late, "refused": n.Refused} {
		out <- prometheus.MustNewConstMetric(fencesDesc, prometheus.CounterValue, float64(n), what)
	}
}

// snapshot counts a snapshot that was "sent", "failed" or "installed".
func (m *metrics) snapshot(what string) { m.snapshots.WithLabelValues(what).Inc() }
