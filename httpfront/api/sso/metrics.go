package sso

import (
	"github.com/prometheus/client_golang/prometheus"

	"ssod/httpfront/config"
)

// Metrics are the numbers of the SSO Service that no others are about.
type Metrics struct {
	confirmations *prometheus.CounterVec
}

// What becomes of a device that waits for confirmation.
const (
	asked   = "asked"
	granted = "granted"
	refused = "refused"
)

// NewMetrics registers the numbers of the configured realms.
func NewMetrics(r prometheus.Registerer, c *config.Config) *Metrics {
	m := &Metrics{confirmations: prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "ssod_link_confirmations_total",
		Help: "Devices of other networks that came with a link code and were to be confirmed, and what the devices that show the codes said.",
	}, []string{"realm", "outcome"})}
	for _, realm := range c.Realms {
		for _, outcome := range []string{asked, granted, refused} {
			m.confirmations.WithLabelValues(realm.ID, outcome)
		}
	}
	if r != nil {
		r.MustRegister(m.confirmations)
	}
	return m
}

// confirmation counts a question or an answer to it.
func (m *Metrics) confirmation(realm, outcome string) {
	if m != nil {
		m.confirmations.WithLabelValues(realm, outcome).Inc()
	}
}
