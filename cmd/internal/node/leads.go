package node

import (
	"strconv"
	"sync"

	"github.com/prometheus/client_golang/prometheus"

	"ssod/cluster"
)

// leads are the metrics of leadership; cmd/ssod/docs/metrics.md#metrics.
type leads struct {
	shards cluster.Shards
	gauge  *prometheus.Desc
	moves  prometheus.Counter

	mu  sync.Mutex
	led map[cluster.ShardID]uint64 // terms in which this node leads
}

func newLeads(shards cluster.Shards) *leads {
	return &leads{
		shards: shards,
		gauge:  prometheus.NewDesc("ssod_shard_leader", "1 for the shards that this node leads, 0 for the others.", []string{"shard"}, nil),
		moves: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "ssod_shard_moves_total",
			Help: "Leaderships of shards that came to this node.",
		}),
		led: map[cluster.ShardID]uint64{},
	}
}

// watch counts leaderships until stop is called.
func (l *leads) watch() (stop func()) {
	stop = l.shards.Watch(l.look)
	for id := range cluster.ShardID(l.shards.Count() + 1) {
		l.look(id)
	}
	return stop
}

// look counts a leadership that is new.
func (l *leads) look(id cluster.ShardID) {
	l.mu.Lock()
	defer l.mu.Unlock()
	shard, here := l.shards.Lead(id)
	if here && l.led[id] != shard.Term() {
		l.led[id] = shard.Term()
		l.moves.Inc()
	}
}

func (l *leads) Describe(ds chan<- *prometheus.Desc) {
	ds <- l.gauge
	l.moves.Describe(ds)
}

func (l *leads) Collect(ms chan<- prometheus.Metric) {
	for id := range cluster.ShardID(l.shards.Count() + 1) {
		value := 0.0
		if _, here := l.shards.Lead(id); here {
			value = 1
		}
		ms <- prometheus.MustNewConstMetric(l.gauge, prometheus.GaugeValue, value, strconv.Itoa(int(id)))
	}
	l.moves.Collect(ms)
}

// countLeads registers the metrics of leadership.
func (n *Node) countLeads() error {
	l := newLeads(n.shards)
	stop := l.watch()
	n.own("count of leaderships", closing(func() error { stop(); return nil }))
	for _, c := range []prometheus.Collector{newMargins(n), newCensus(n)} {
		if err := n.registry.Register(c); err != nil {
			return err
		}
	}
	return n.registry.Register(l)
}
