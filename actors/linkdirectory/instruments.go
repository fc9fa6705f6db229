package linkdirectory

import (
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// instruments are the collectors of all directories of a node.
type instruments struct {
	live     *prometheus.GaugeVec
	failures *prometheus.CounterVec
	closings *prometheus.CounterVec
	log      *slog.Logger
}

func newInstruments(registerer prometheus.Registerer, log *slog.Logger) *instruments {
	if log == nil {
		log = slog.Default()
	}
	labels := []string{"realm"}
	i := &instruments{
		live: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "ssod_link_codes_live",
			Help: "Link codes that are reserved or can be resolved, in the directories of this node.",
		}, labels),
		failures: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "ssod_link_guess_failures_total",
			Help: "Redemptions whose link code could not be used, by whether the network they came from has codes itself.",
		}, []string{"realm", "network"}),
		closings: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "ssod_link_closings_total",
			Help: "Times that short link codes were closed because too many guesses failed.",
		}, labels),
		log: log,
	}
	if registerer != nil {
		registerer.MustRegister(i.live, i.failures, i.closings)
	}
	return i
}

// of is what the directory of one realm reports to.
func (i *instruments) of(realm string) *realmInstruments {
	return &realmInstruments{
		live: i.live.WithLabelValues(realm),
		own:  i.failures.WithLabelValues(realm, "own"), other: i.failures.WithLabelValues(realm, "other"),
		closings: i.closings.WithLabelValues(realm), log: i.log.With("realm", realm),
	}
}

type realmInstruments struct {
	live                 prometheus.Gauge
	own, other, closings prometheus.Counter
	log                  *slog.Logger
}

func (r *realmInstruments) guessFailed(own bool) {
	if own {
		r.own.Inc()
	} else {
		r.other.Inc()
	}
}

func (r *realmInstruments) codesLive(n int) { r.live.Set(float64(n)) }

// closed is the alert: somebody is guessing link codes.
func (r *realmInstruments) closed(d time.Duration) {
	r.closings.Inc()
	r.log.Warn("too many failed guesses: short link codes are closed", "alert", true, "for", d)
}
