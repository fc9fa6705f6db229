package httpfront

import (
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"ssod/httpfront/wire"
)

// metrics are the numbers of the public API; cmd/ssod/docs/metrics.md#metrics.
type metrics struct {
	requests  *prometheus.CounterVec
	seconds   *prometheus.HistogramVec
	throttled prometheus.Counter
}

// codeOK is the code of requests that succeeded; others have the error code.
const codeOK = "ok"

func newMetrics(r prometheus.Registerer) *metrics {
	m := &metrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "ssod_http_requests_total",
			Help: "Requests answered, by operation, HTTP status and error code.",
		}, []string{"endpoint", "status", "code"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "ssod_http_request_duration_seconds",
			Help:    "Time from the last byte of a request to its answer.",
			Buckets: []float64{.0001, .00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 10},
		}, []string{"endpoint"}),
		throttled: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "ssod_throttled_total",
			Help: "Requests refused by the throttle.",
		}),
	}
	if r != nil {
		r.MustRegister(m.requests, m.seconds, m.throttled)
	}
	return m
}

// watch adds the numbers of a listener's connections.
func (m *metrics) watch(r prometheus.Registerer, l *wire.Listener) {
	if r == nil {
		return
	}
	count := func(name, help string, labels prometheus.Labels, of func(wire.Counts) int) prometheus.Collector {
		return prometheus.NewCounterFunc(prometheus.CounterOpts{Name: name, Help: help, ConstLabels: labels},
			func() float64 { return float64(of(l.Counts())) })
	}
	const refused, why = "ssod_http_connections_refused_total",
		"Connections closed at once: address, since theirs had as many as it may; full, since all places were taken."
	r.MustRegister(
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "ssod_http_connections", Help: "Open connections of the public API."},
			func() float64 { return float64(l.Counts().Open) }),
		count(refused, why, prometheus.Labels{"reason": "address"}, func(c wire.Counts) int { return c.Crowded }),
		count(refused, why, prometheus.Labels{"reason": "full"}, func(c wire.Counts) int { return c.Full }),
		count("ssod_http_connections_evicted_total", "Idle connections closed to make room for others.", nil,
			func(c wire.Counts) int { return c.Evicted }),
	)
}

// meter counts the requests of one operation.
type meter struct {
	requests *prometheus.CounterVec
	name     string
	seconds  prometheus.Observer
	ok       [3]prometheus.Counter // 200, 201, 204
}

func (m *metrics) meter(name string) *meter {
	ok := func(status string) prometheus.Counter {
		return m.requests.WithLabelValues(name, status, codeOK)
	}
	return &meter{
		requests: m.requests, name: name,
		seconds: m.seconds.WithLabelValues(name),
		ok:      [3]prometheus.Counter{ok("200"), ok("201"), ok("204")},
	}
}

// count counts one answer.
func (m *meter) count(status int, code string, took time.Duration) {
	m.seconds.Observe(took.Seconds())
	switch {
	case code == codeOK && status == 200:
		m.ok[0].Inc()
	case code == codeOK && status == 201:
		m.ok[1].Inc()
	case code == codeOK && status == 204:
		m.ok[2].Inc()
	default:
		m.requests.WithLabelValues(m.name, strconv.Itoa(status), code).Inc()
	}
}
