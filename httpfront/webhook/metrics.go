package webhook

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"ssod/cluster"
)

type metrics struct {
	queued, oldest             *prometheus.GaugeVec
	delivered, failed, dropped *prometheus.CounterVec
	dead                       *prometheus.CounterVec
}

// labels name a receiver.
var labels = []string{"realm", "receiver"}

func (r *receiver) labels() []string { return []string{r.realm, r.name} }

func newMetrics(to prometheus.Registerer) *metrics {
	counter := func(name, help string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
	}
	gauge := func(name, help string) *prometheus.GaugeVec {
		return prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: name, Help: help}, labels)
	}
	m := &metrics{
		queued:    gauge("ssod_events_queued", "Events that wait for a receiver in the shards that this node leads."),
		oldest:    gauge("ssod_events_oldest_age_seconds", "Age of the oldest event that waits for a receiver in the shards that this node leads; 0: none waits."),
		delivered: counter("ssod_events_delivered_total", "Events that a receiver has taken."),
		failed:    counter("ssod_events_failed_total", "Deliveries of events that failed. They are repeated."),
		dropped:   counter("ssod_events_dropped_total", "Events that were given up without a dead letter, because too much waited, or a commit had no room for them."),
		dead:      counter("ssod_events_dead_total", "Events that became dead letters."),
	}
	if to != nil {
		to.MustRegister(m.queued, m.oldest, m.delivered, m.failed, m.dropped, m.dead)
	}
	return m
}

// show shows what waits.
func (m *metrics) show(d *Dispatcher, now time.Time) {
	for _, r := range d.receivers {
		count, oldest := 0, time.Time{}
		for _, l := range d.lanes {
			s := l.streams[r.id]
			if s == nil {
				continue
			}
			count += s.count
			if at := s.oldest(); !at.IsZero() && (oldest.IsZero() || at.Before(oldest)) {
				oldest = at
			}
		}
		age := 0.0
		if !oldest.IsZero() {
			age = max(0, now.Sub(oldest).Seconds())
		}
		m.queued.WithLabelValues(r.labels()...).Set(float64(count))
		m.oldest.WithLabelValues(r.labels()...).Set(age)
		for _, c := range m.counters() {
			c.WithLabelValues(r.labels()...)
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	for id, n := range d.unfit {
		if r := d.receivers[id]; r != nil {
			m.dropped.WithLabelValues(r.labels()...).Add(float64(n))
		}
	}
	clear(d.unfit)
}

func (m *metrics) counters() []*prometheus.CounterVec {
	return []*prometheus.CounterVec{m.delivered, m.failed, m.dropped, m.dead}
}

// forget ends the series of a receiver that is not configured any more, or has another name.
func (m *metrics) forget(r *receiver) {
	m.queued.DeleteLabelValues(r.labels()...)
	m.oldest.DeleteLabelValues(r.labels()...)
	for _, c := range m.counters() {
		c.DeleteLabelValues(r.labels()...)
	}
}

// settled counts what a commit has given up.
func (m *metrics) settled(d *Dispatcher, c *settlement) {
	if c.err != nil {
		return
	}
	dead := map[uint64]int{}
	for _, mark := range c.commit.Marks {
		if mark.Fate == cluster.Dead {
			dead[mark.Key.Receiver()]++
		}
	}
	for id, r := range d.receivers {
		m.dead.WithLabelValues(r.labels()...).Add(float64(dead[id]))
		m.dropped.WithLabelValues(r.labels()...).Add(float64(c.lost[id]))
	}
}
