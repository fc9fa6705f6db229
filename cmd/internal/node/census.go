package node

import (
	"github.com/prometheus/client_golang/prometheus"

	"ssod/cluster/placement"
	"ssod/httpfront/api/admin"
)

// census is ssod_cluster_members{state}: the members by what operators are shown of
// them.
type census struct {
	n       *Node
	members *prometheus.Desc
}

func newCensus(n *Node) *census {
	return &census{n, prometheus.NewDesc("ssod_cluster_members",
		"Members of the cluster by state, as this node sees them: alive, unreachable, dead, draining, left. This node itself is alive, draining or left.", []string{"state"}, nil)}
}

func (c *census) Describe(ds chan<- *prometheus.Desc) { ds <- c.members }

func (c *census) Collect(ms chan<- prometheus.Metric) {
	counts := map[admin.State]int{}
	if c.n.placed.Load() == nil {
		counts[admin.Alive] = 1
	} else {
		for _, p := range c.n.nodes.Nodes() {
			if p.State != placement.NodeState_REMOVED {
				counts[members{c.n}.state(p)]++
			}
		}
	}
	for _, s := range []admin.State{admin.Alive, admin.Unreachable, admin.Dead, admin.Draining, admin.Left} {
		ms <- prometheus.MustNewConstMetric(c.members, prometheus.GaugeValue, float64(counts[s]), string(s))
	}
}
