package mvpd

import (
	"context"
	"errors"
	"net/url"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/sony/gobreaker/v2"
)

// The calls that are timed; cmd/ssod/docs/metrics.md#tv-providers.
const (
	callBegin    = "begin"
	callComplete = "complete"
	callDecide   = "decide"
)

var (
	breakerDesc = prometheus.NewDesc("ssod_mvpd_breaker_open",
		"1 from the moment that a question was not passed on, because the decision point failed too often, until it decides again.", []string{"realm", "mvpd"}, nil)
	askedDesc = prometheus.NewDesc("ssod_mvpd_questions",
		"Calls for decisions that are with the TV provider now; at most 128.", []string{"realm", "mvpd"}, nil)
	expiryDesc = prometheus.NewDesc("ssod_mvpd_certificate_expiry_seconds",
		"Seconds until the first certificate of a use ends, by use: tls of the provider's hosts, signing by it, own of this service there. +Inf: none is known.", []string{"realm", "mvpd", "use"}, nil)
	silenceDesc = prometheus.NewDesc("ssod_mvpd_unreachable_seconds",
		"For how long every call to a host of the TV provider has failed; 0 if it answers, or was not called for 15 minutes.", []string{"realm", "mvpd"}, nil)
)

// newSeconds are the times of calls to providers.
func newSeconds() *prometheus.HistogramVec {
	return prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name:    "ssod_mvpd_request_seconds",
		Help:    "Time that calls to TV providers took, failed ones included.",
		Buckets: []float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
	}, []string{"realm", "mvpd", "call"})
}

// Describe implements [prometheus.Collector].
func (r *Registry) Describe(to chan<- *prometheus.Desc) {
	r.seconds.Describe(to)
	to <- breakerDesc
	to <- askedDesc
	to <- expiryDesc
	to <- silenceDesc
}

// Collect implements [prometheus.Collector]: the numbers of the providers that are
// configured now.
func (r *Registry) Collect(to chan<- prometheus.Metric) {
	r.seconds.Collect(to)
	for at, p := range r.current.Load().providers {
		open := 0.0
		if p.refused.Load() {
			open = 1
		}
		to <- prometheus.MustNewConstMetric(breakerDesc, prometheus.GaugeValue, open, at.realm, at.mvpd)
		to <- prometheus.MustNewConstMetric(askedDesc, prometheus.GaugeValue, float64(len(p.slots)), at.realm, at.mvpd)
		to <- prometheus.MustNewConstMetric(silenceDesc, prometheus.GaugeValue, p.silence(time.Now()).Seconds(), at.realm, at.mvpd)
		for use, left := range p.expiries(time.Now()) {
			to <- prometheus.MustNewConstMetric(expiryDesc, prometheus.GaugeValue, left, at.realm, at.mvpd, use)
		}
	}
}

// observers are where the times of a provider's calls go.
func (r *Registry) observers(at key) map[string]prometheus.Observer {
	all := map[string]prometheus.Observer{}
	for _, call := range []string{callBegin, callComplete, callDecide} {
		all[call] = r.seconds.WithLabelValues(at.realm, at.mvpd, call)
	}
	return all
}

// forget drops the times of providers that are gone.
func (r *Registry) forget(old, t *table) {
	for at := range old.providers {
		if t.providers[at] == nil {
			r.seconds.DeletePartialMatch(prometheus.Labels{"realm": at.realm, "mvpd": at.mvpd})
		}
	}
}

// Begin is [Connector.Begin], timed.
func (p *Provider) Begin(ctx context.Context, l Login) (Step, error) {
	defer p.timed(callBegin, time.Now())
	return p.Connector.Begin(ctx, l)
}

// Complete is [Connector.Complete], timed.
func (p *Provider) Complete(ctx context.Context, l Login, values url.Values) (Identity, error) {
	defer p.timed(callComplete, time.Now())
	return p.Connector.Complete(ctx, l, values)
}

func (p *Provider) timed(call string, began time.Time) {
	p.seconds[call].Observe(time.Since(began).Seconds())
}

// asked notes how a question ended. One that the breaker did not pass on took no time.
func (p *Provider) asked(began time.Time, err error) {
	if errors.Is(err, gobreaker.ErrOpenState) || errors.Is(err, gobreaker.ErrTooManyRequests) {
		p.refused.Store(true)
		return
	}
	if err == nil {
		p.refused.Store(false)
	}
	p.timed(callDecide, began)
}
