package actors

import (
	"reflect"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/protobuf/proto"
)

// mailboxSample: one command in this many has its wait measured.
const mailboxSample = 64

// metrics are the runtime's collectors.
type metrics struct {
	active     *prometheus.GaugeVec
	messages   *prometheus.CounterVec
	hops       *prometheus.CounterVec
	refused    *prometheus.CounterVec
	mailbox    prometheus.Histogram
	registerer prometheus.Registerer
}

func newMetrics(registerer prometheus.Registerer) *metrics {
	m := &metrics{
		active: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "ssod_actor_active",
			Help: "Entities held in memory.",
		}, []string{"kind"}),
		messages: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "ssod_actor_messages_total",
			Help: "Commands delivered to entities, repeats included.",
		}, []string{"kind", "message"}),
		hops: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "ssod_actor_hops_total",
			Help: "Commands sent to the entity's owner on another node, repeats included.",
		}, []string{"kind"}),
		refused: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "ssod_actor_refused_total",
			Help: "Commands that were not admitted, by reason: the queue of their entity takes too long (time), nothing of it was answered for too long (stall), it takes too much memory (bytes), all queues do (node), too many entities are in memory (entities).",
		}, []string{"kind", "reason"}),
		mailbox: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name:    "ssod_actor_mailbox_seconds",
			Help:    "Time from admission to the entity's turn, of one command in 64.",
			Buckets: prometheus.ExponentialBuckets(2e-6, 4, 11), // 2 us .. 2 s
		}),
		registerer: registerer,
	}
	if registerer != nil {
		registerer.MustRegister(m.collectors()...)
	}
	return m
}

func (m *metrics) collectors() []prometheus.Collector {
	return []prometheus.Collector{m.active, m.messages, m.hops, m.refused, m.mailbox}
}

// unregister lets a later runtime of the same process register its own.
func (m *metrics) unregister() {
	if m.registerer == nil {
		return
	}
	for _, c := range m.collectors() {
		m.registerer.Unregister(c)
	}
}

// kindMetrics are the series of one kind, looked up once.
type kindMetrics struct {
	active   prometheus.Gauge
	hops     prometheus.Counter
	messages *prometheus.CounterVec
	refusals *prometheus.CounterVec
	byType   sync.Map // reflect.Type of the command -> prometheus.Counter
}

func (m *metrics) kind(name string) *kindMetrics {
	k := &kindMetrics{
		active:   m.active.WithLabelValues(name),
		hops:     m.hops.WithLabelValues(name),
		messages: m.messages.MustCurryWith(prometheus.Labels{"kind": name}),
		refusals: m.refused.MustCurryWith(prometheus.Labels{"kind": name}),
	}
	for _, why := range refusals {
		k.refusals.WithLabelValues(why) // a rate needs the zero before the first one
	}
	return k
}

// message counts a command that is delivered.
func (k *kindMetrics) message(command proto.Message) {
	t := reflect.TypeOf(command)
	if c, ok := k.byType.Load(t); ok {
		c.(prometheus.Counter).Inc()
		return
	}
	name := string(command.ProtoReflect().Descriptor().Name())
	c, _ := k.byType.LoadOrStore(t, k.messages.WithLabelValues(name))
	c.(prometheus.Counter).Inc()
}
