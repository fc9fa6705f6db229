package node

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"ssod/cluster"
	"ssod/cluster/replica/core"
	"ssod/httpfront/api/admin"
	"ssod/httpfront/config"
	"ssod/httpfront/degradation"
)

// degradationLevel is the format level from which on rules of degradation can be set at run
// time: versions before would not heed them.
const degradationLevel = 2

// degrade opens the rules of degradation that are set at run time.
func (n *Node) degrade(context.Context) (err error) {
	n.rules, err = degradation.Open(degradation.Options{
		Tables: n.tables, Settings: n.settings.Config, Leads: n.leadsMeta, Ready: n.degradable,
		Time: n.clusterTime, Now: n.config.Clock, Tell: n.tellDegradation, Log: n.log,
	})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { n.rules.Keep(ctx) })
	n.own("rules of degradation", closing(func() error { cancel(); running.Wait(); return nil }))
	return n.registry.Register(ruleMetrics{n})
}

// clusterTime is what the cluster takes a time of this node's clock for: the clock is
// corrected by how far it is off the median of all, and is not behind what the meta shard
// has seen.
func (n *Node) clusterTime(at time.Time) time.Time {
	return later(n.corrected(at), n.store.Time(cluster.MetaShard))
}

func (n *Node) corrected(at time.Time) time.Time {
	if n.placement == nil {
		return at
	}
	return at.Add(-n.placement.Skew().Ahead)
}

// degradable is why no rule can be set at run time.
func (n *Node) degradable() error {
	if at := n.store.Level(); at < degradationLevel {
		return fmt.Errorf("%w: the cluster is at format level %d, and its older versions would not heed the rule; when every node runs this version, ssoctl cluster set level=%d; until then put the rule into the configuration file and reload every node",
			degradation.ErrNotNow, at, degradationLevel)
	}
	ahead := n.store.Time(cluster.MetaShard).Sub(n.corrected(n.config.Clock()))
	if ahead > core.Tolerance {
		return fmt.Errorf("%w: the time of the cluster is %v ahead of the clocks, and the rule would not end before they get there; if the clocks are right, ssoctl clock reset",
			degradation.ErrNotNow, ahead.Round(time.Second))
	}
	return nil
}

// degradationCondition is advice: nobody should forget that a rule answers in the place of
// a TV provider.
func (n *Node) degradationCondition() admin.Condition {
	c := admin.Condition{Name: "degradation", OK: true, Advice: true}
	var told []string
	set := map[degradation.Pair]bool{}
	for _, r := range n.rules.List() {
		set[r.Pair] = true
		told = append(told, fmt.Sprintf("%s for %s at %s until %s, set by %s", r.Rule, r.ServiceProvider, r.MVPD, r.Until.Format(time.RFC3339), r.By))
	}
	for _, r := range degradation.Filed(n.settings.Config()) {
		if !set[r.Pair] {
			told = append(told, fmt.Sprintf("%s for %s at %s, by the configuration file", r.Rule, r.ServiceProvider, r.MVPD))
		}
	}
	if len(told) > 0 {
		c.OK, c.Detail = false, few(told)
	}
	return c
}

// providersCondition is advice: no other node need see a TV provider better.
func (n *Node) providersCondition() admin.Condition {
	c := admin.Condition{Name: "providers", OK: true, Advice: true}
	if providers := n.mvpds.Load(); providers != nil {
		if told := providers.Troubles(n.config.Clock()); len(told) > 0 {
			c.OK, c.Detail = false, few(told)
		}
	}
	return c
}

// few are the first of many texts.
func few(texts []string) string {
	const most = 5
	if more := len(texts) - most; more > 0 {
		return strings.Join(texts[:most], "; ") + fmt.Sprintf("; and %d more", more)
	}
	return strings.Join(texts, "; ")
}

var rulesDesc = prometheus.NewDesc("ssod_degradation_rules",
	"Rules of degradation that count now, by rule and by where they come from: set at run time, or the configuration file.", []string{"rule", "source"}, nil)

// ruleMetrics are the metrics of the rules of degradation.
type ruleMetrics struct{ n *Node }

func (ruleMetrics) Describe(ds chan<- *prometheus.Desc) { ds <- rulesDesc }

func (m ruleMetrics) Collect(ms chan<- prometheus.Metric) {
	runtime, file := m.n.rules.Count()
	for _, rule := range config.Rules() {
		ms <- prometheus.MustNewConstMetric(rulesDesc, prometheus.GaugeValue, float64(runtime[rule]), rule, "runtime")
		ms <- prometheus.MustNewConstMetric(rulesDesc, prometheus.GaugeValue, float64(file[rule]), rule, "file")
	}
}
