package entitlement

import (
	"github.com/prometheus/client_golang/prometheus"

	"ssod/httpfront/api"
	"ssod/httpfront/mvpd"
)

// Metrics count logins and decisions; cmd/ssod/docs/metrics.md#tv-providers. All labels
// come from the configuration and from lists of this package.
type Metrics struct {
	begun, logins, logouts, decisions *prometheus.CounterVec
}

// Outcomes of logins, beside the codes of a [mvpd.LoginError] that say less to operators.
const (
	completed = "completed"
	cancelled = "cancelled"
	failed    = "failed"
)

// Who ended a login.
const (
	byApp      = "app"
	byProvider = "provider"
)

// anyServiceProvider stands for all of a realm, where an MVPD names a viewer only.
const anyServiceProvider = "any"

// NewMetrics registers the numbers.
func NewMetrics(r prometheus.Registerer) *Metrics {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		c := prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, append([]string{"realm", "service_provider", "mvpd"}, labels...))
		r.MustRegister(c)
		return c
	}
	return &Metrics{
		begun: counter("ssod_logins_begun_total",
			"Browsers that were sent to a TV provider to log a device in.", "device"),
		logins: counter("ssod_logins_total",
			"Logins at TV providers that ended: completed, cancelled by the viewer or the provider, or failed.", "device", "outcome"),
		logouts: counter("ssod_logouts_total",
			"Logins that were ended by an app or by their TV provider.", "by"),
		decisions: counter("ssod_decisions_total",
			"Decisions on resources, by who decided and how: permit, or the code of the error.", "call", "source", "outcome"),
	}
}

// place is where a login is, as labels.
type place struct{ realm, serviceProvider, mvpd string }

func (m *Metrics) loginBegun(at place, device string) {
	if m != nil {
		m.begun.WithLabelValues(at.realm, at.serviceProvider, at.mvpd, device).Inc()
	}
}

func (m *Metrics) loginEnded(at place, device, outcome string) {
	if m != nil {
		m.logins.WithLabelValues(at.realm, at.serviceProvider, at.mvpd, device, outcome).Inc()
	}
}

func (m *Metrics) loggedOut(at place, by string, logins int) {
	if m != nil {
		m.logouts.WithLabelValues(at.realm, at.serviceProvider, at.mvpd, by).Add(float64(logins))
	}
}

// outcomeOf is the outcome of a login for the code that the app gets of it.
func outcomeOf(code string) string {
	switch code {
	case "":
		return completed
	case mvpd.AccessDenied:
		return cancelled
	default:
		return failed
	}
}

// decided counts the decisions of one call.
func (m *Metrics) decided(r *api.Request, q *asking, decisions []decision) {
	if m == nil {
		return
	}
	for i := range decisions {
		d := &decisions[i]
		outcome := d.code
		if outcome == "" {
			outcome = "permit"
		}
		m.decisions.WithLabelValues(r.Realm.ID, q.app.provider.ID, q.provider.Config.ID, q.call(), d.origin(), outcome).Inc()
	}
}

// origin is who decided: the source of the answer or, where that is an MVPD which was not
// asked, cache for a permit of before and service for the rest, such as a login that is
// missing.
func (d *decision) origin() string {
	switch {
	case d.by != byMVPD:
		return sources[d.by]
	case d.asked:
		return sources[byMVPD]
	case d.code == "":
		return "cache"
	default:
		return "service"
	}
}
