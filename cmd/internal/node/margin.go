package node

import (
	"fmt"
	"strings"

	"github.com/prometheus/client_golang/prometheus"

	"ssod/cluster/placement"
	"ssod/httpfront/api/admin"
)

// marginCondition is advice: a cluster that tolerates fewer failures than it should serves
// all the same.
func (n *Node) marginCondition() admin.Condition {
	c := admin.Condition{Name: "redundancy", OK: true, Advice: true}
	if n.placement == nil {
		return c
	}
	if m := n.placement.Margin(); m.Spare < m.Wanted {
		c.OK, c.Detail = false, lacking(m)
	}
	return c
}

// lacking says which failures a cluster tolerates, and what to do about it.
func lacking(m placement.Margin) string {
	text := fmt.Sprintf("%s: %d shards can bear less than they should", bearable(m.Spare), m.Thin)
	if m.Stopped > 0 {
		text = fmt.Sprintf("%d shards have no majority", m.Stopped)
	}
	if len(m.Away) > 0 {
		return fmt.Sprintf("%s; start again, with the --data directory that it had, or replace if that is lost: %s", text, strings.Join(m.Away, ", "))
	}
	return text + "; this passes when the replicas that are under way have come, if there are enough nodes for them"
}

// bearable says how many more nodes may be lost.
func bearable(spare int) string {
	if spare > 0 {
		return fmt.Sprintf("no more than %d of the nodes may be lost now", spare)
	}
	return "no more node may be lost now"
}

// margins are the metrics of the failures that the cluster tolerates.
type margins struct {
	n                  *Node
	spare, thin, zones *prometheus.Desc
}

func newMargins(n *Node) *margins {
	return &margins{
		n:     n,
		spare: prometheus.NewDesc("ssod_cluster_spare_nodes", "How many more nodes may be lost, whichever they are; below 0 some shards have no majority.", nil, nil),
		zones: prometheus.NewDesc("ssod_cluster_spare_zones", "How many zones may be lost, whichever they are; below 0 some shards have no majority. 0 where no node has a zone.", nil, nil),
		thin:  prometheus.NewDesc("ssod_shards_thin", "Shards that can bear the loss of fewer nodes than they should, or have no majority.", nil, nil),
	}
}

func (c *margins) Describe(ds chan<- *prometheus.Desc) { ds <- c.spare; ds <- c.zones; ds <- c.thin }

func (c *margins) Collect(ms chan<- prometheus.Metric) {
	var m placement.Margin
	if p := c.n.placed.Load(); p != nil {
		m = p.Margin()
	}
	ms <- prometheus.MustNewConstMetric(c.spare, prometheus.GaugeValue, float64(m.Spare))
	ms <- prometheus.MustNewConstMetric(c.zones, prometheus.GaugeValue, float64(m.SpareZones))
	ms <- prometheus.MustNewConstMetric(c.thin, prometheus.GaugeValue, float64(m.Thin+m.Stopped))
}
