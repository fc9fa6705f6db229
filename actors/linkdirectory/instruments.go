package linkdirectory

import (
	"cmp"
	"log/slog"
	"slices"
	"strconv"

	"github.com/prometheus/client_golang/prometheus"
)

// instruments are the collectors of all directories of a node.
type instruments struct {
	live     *prometheus.GaugeVec
	failures *prometheus.CounterVec
	expected *prometheus.GaugeVec
	closed   *prometheus.GaugeVec
	attacks  *Attacks
	log      *slog.Logger
}

func newInstruments(c Config) *instruments {
	i := &instruments{
		attacks: cmp.Or(c.Attacks, new(Attacks)), log: cmp.Or(c.Log, slog.Default()),
		live: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "ssod_link_codes_live",
			Help: "Link codes that are reserved or can be resolved, in the directories of this node.",
		}, []string{"realm"}),
		failures: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "ssod_link_guess_failures_total",
			Help: "Redemptions whose link code could not be used, by whether the network they came from has codes itself.",
		}, []string{"realm", "network"}),
		expected: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "ssod_link_expected_wrong_hits",
			Help: "Expected number of codes hit by those who guess, in the last 24 to 25 hours.",
		}, []string{"realm"}),
		closed: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "ssod_link_lookups_closed",
			Help: "1 while codes of this length are looked up in the guesser's own network only.",
		}, []string{"realm", "length"}),
	}
	if c.Metrics != nil {
		c.Metrics.MustRegister(i.live, i.failures, i.expected, i.closed)
	}
	return i
}

// of is what the directory of one realm reports to.
func (i *instruments) of(realm string) *realmInstruments {
	r := &realmInstruments{
		live: i.live.WithLabelValues(realm),
		own:  i.failures.WithLabelValues(realm, "own"), other: i.failures.WithLabelValues(realm, "other"),
		expected: i.expected.WithLabelValues(realm), attack: i.attacks.of(realm), log: i.log.With("realm", realm),
	}
	for length := MinLength; length <= MaxLength; length++ {
		r.lengths[length] = i.closed.WithLabelValues(realm, strconv.Itoa(length))
	}
	return r
}

type realmInstruments struct {
	live, expected prometheus.Gauge
	own, other     prometheus.Counter
	lengths        [MaxLength + 1]prometheus.Gauge
	attack         *attacked
	log            *slog.Logger
}

func (r *realmInstruments) guessFailed(own bool) {
	if own {
		r.own.Inc()
	} else {
		r.other.Inc()
	}
	r.attack.failed(own)
}

func (r *realmInstruments) lookupRefused() { r.attack.refused() }

func (r *realmInstruments) codesLive(n int) { r.live.Set(float64(n)) }

func (r *realmInstruments) metered(expected, accepted hits, closed []int) {
	r.expected.Set(expected.float())
	for length := MinLength; length <= MaxLength; length++ {
		value := 0.0
		if slices.Contains(closed, length) {
			value = 1
		}
		r.lengths[length].Set(value)
	}
	r.attack.metered(float64(expected)/float64(accepted), closed)
}

// halfUsed and lengthsClosed are the alerts that link codes are being guessed.
func (r *realmInstruments) halfUsed(expected, accepted hits) {
	r.log.Warn("link codes are guessed: half of the wrong hits that are accepted in a day are to be expected",
		"alert", true, "expected", expected.float(), "accepted", accepted.float())
}

func (r *realmInstruments) lengthsClosed(lengths []int, expected, accepted hits) {
	r.log.Warn("link codes are guessed: codes of other networks are not looked up for now",
		"alert", true, "lengths", lengths, "expected", expected.float(), "accepted", accepted.float())
}
