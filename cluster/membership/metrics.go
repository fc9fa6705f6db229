package membership

import "github.com/prometheus/client_golang/prometheus"

// gauges are ssod_cluster_members{state}, counted when they are asked for.
type gauges []prometheus.Collector

func (g *gauges) register(r prometheus.Registerer, members func() []Member) error {
	if r == nil {
		return nil
	}
	for _, s := range []State{Alive, Dead, Left} {
		c := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name:        "ssod_cluster_members",
			Help:        "Nodes that this node knows of by gossip.",
			ConstLabels: prometheus.Labels{"state": string(s)},
		}, func() float64 { return count(members(), s) })
		if err := r.Register(c); err != nil {
			return err
		}
		*g = append(*g, c)
	}
	return nil
}

func count(all []Member, s State) (n float64) {
	for _, m := range all {
		if m.State == s {
			n++
		}
	}
	return n
}

func (g *gauges) unregister(r prometheus.Registerer) {
	for _, c := range *g {
		r.Unregister(c)
	}
}
