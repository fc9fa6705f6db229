package node

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"ssod/cluster/membership"
	"ssod/httpfront/api/admin"
)

// divergenceGrace is how long the configurations of nodes may differ: a new file reaches
// one node after another.
const divergenceGrace = 60 * time.Second

// divergence remembers which nodes have another configuration file than this
// one, and since when. The zero value has none.
type divergence struct {
	mu    sync.Mutex
	since map[string]time.Time // by node
}

// note compares this node's hash with those of others.
func (d *divergence) note(own string, others map[string]string, now time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	since := make(map[string]time.Time)
	for node, hash := range others {
		if hash == own {
			continue
		}
		since[node] = now
		if at, ok := d.since[node]; ok {
			since[node] = at
		}
	}
	d.since = since
}

// nodes are those that have differed for longer than the grace, in order.
func (d *divergence) nodes(now time.Time) (names []string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for node, at := range d.since {
		if now.Sub(at) > divergenceGrace {
			names = append(names, node)
		}
	}
	slices.Sort(names)
	return names
}

// gauge is ssod_config_mismatch; cmd/ssod/docs/metrics.md#metrics.
func (d *divergence) gauge() prometheus.Collector {
	return prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "ssod_config_mismatch",
		Help: "1 while another node has had another configuration file for over 60 s.",
	}, func() float64 { return float64(min(len(d.nodes(time.Now())), 1)) })
}

// compareConfigurations compares this node's file with the hashes of others.
func (n *Node) compareConfigurations() {
	if n.gossip == nil {
		return
	}
	others := map[string]string{}
	for _, m := range n.gossip.Members() {
		if m.State == membership.Alive && m.Name != n.me.Name && m.Meta.NodeID != 0 {
			others[m.Name] = m.Meta.Config
		}
	}
	n.divergence.note(n.settings.Config().Hash, others, time.Now())
}

// configurationCondition is advice: the node serves what its own file says.
func (n *Node) configurationCondition() admin.Condition {
	c := admin.Condition{Name: admin.Configuration, OK: true, Advice: true}
	if names := n.divergence.nodes(time.Now()); len(names) > 0 {
		c.OK = false
		c.Detail = fmt.Sprintf("another configuration file than here is on %s: give all nodes the same one and run ssoctl reload on each",
			strings.Join(names, ", "))
	}
	return c
}
