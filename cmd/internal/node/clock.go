package node

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"ssod/cluster"
	"ssod/cluster/placement"
	"ssod/cluster/wallclock"
	"ssod/httpfront/api/admin"
)

// clockNote is where the store keeps the account of the clock.
const clockNote = "clock"

// keepPace is how often the record of the confirmed time is updated.
const keepPace = time.Minute

// watchClock begins to judge the clock. A founder's clock is trusted: there is nothing yet
// that it could spoil.
func (n *Node) watchClock(context.Context) error {
	stored, err := n.store.Noted(clockNote)
	if err != nil {
		return err
	}
	n.watch, err = wallclock.New(wallclock.Config{
		Clock: n.config.Clock, Stored: stored, Trusted: n.store.New() && n.joined == nil,
		Store: func(b []byte) error { return n.store.Note(clockNote, b) },
		Failed: func(err error) {
			n.log.Warn("what is known of the clock is not stored; after a restart more has to be confirmed", "error", err)
		},
	})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { n.watch.Run(ctx) })
	n.own("watch of the clock", closing(func() error { cancel(); running.Wait(); return nil }))
	return n.registry.Register(clockMetrics{n})
}

// keepTime shares the confirmed time with the other nodes.
func (n *Node) keepTime(context.Context) error {
	n.confirmed = &placement.ConfirmedTime{Tables: n.tables, Clock: n.watch, Leads: func() bool {
		_, leads := n.shards.Lead(cluster.MetaShard)
		return leads
	}}
	unwatch := n.confirmed.Watch(n.learnTime)
	n.learnTime()
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { n.recordTime(ctx) })
	n.own("record of the confirmed time", closing(func() error { unwatch(); cancel(); running.Wait(); return nil }))
	return nil
}

func (n *Node) learnTime() {
	if err := n.confirmed.Learn(); err != nil {
		n.log.Error("what the cluster knows of the time cannot be read", "error", err)
	}
}

// recordTime keeps the record of the confirmed time until ctx ends.
func (n *Node) recordTime(ctx context.Context) {
	pace := time.NewTicker(keepPace)
	defer pace.Stop()
	for {
		if err := n.confirmed.Keep(ctx); err != nil && ctx.Err() == nil {
			n.log.Debug("the confirmed time is not recorded", "error", err)
		}
		select {
		case <-pace.C:
		case <-ctx.Done():
			return
		}
	}
}

// operatorsClock lets operators correct the time.
type operatorsClock struct{ n *Node }

func (c operatorsClock) Accept(ctx context.Context) (time.Duration, error) {
	ahead, _ := c.n.watch.Unconfirmed()
	return ahead, c.n.confirmed.Accept(ctx, c.n.config.Clock())
}

func (c operatorsClock) Reset(ctx context.Context) error {
	if err := c.n.setBack(ctx); err != nil {
		return err
	}
	return c.n.confirmed.SetBack(ctx, c.n.config.Clock())
}

// setBack sets the times of all shards back to the clocks.
func (n *Node) setBack(ctx context.Context) error {
	if n.placement != nil {
		return n.placement.SetBack(ctx)
	}
	for id := range cluster.ShardID(n.engine.Count() + 1) {
		if err := n.engine.Reset(ctx, id); err != nil {
			return fmt.Errorf("set back the time of shard %d: %w", id, err)
		}
	}
	return nil
}

// timeCondition is advice: while the time of shards is ahead of the clock it stands still,
// and nothing expires.
func (n *Node) timeCondition() admin.Condition {
	c := admin.Condition{Name: "time", OK: true, Advice: true}
	if n.engine == nil {
		return c
	}
	if lead, shards := n.engine.TimeLead(); shards > 0 {
		c.OK = false
		c.Detail = fmt.Sprintf("the time of %d shards is up to %v ahead of this node's clock, after a clock that was wrong: until then codes do not expire and guess windows do not end; if the clock is right now, run ssoctl clock reset", shards, lead.Round(time.Second))
	}
	return c
}

// retentionCondition is advice: nothing expires by unconfirmed time.
func (n *Node) retentionCondition() admin.Condition {
	c := admin.Condition{Name: "retention", OK: true, Advice: true}
	if ahead, wait := n.watch.Unconfirmed(); ahead > wallclock.Large {
		c.OK = false
		c.Detail = fmt.Sprintf("the clock leapt by %v while this node slept or was off, since the backup that it was restored from, or because it was set: no member, key or record is dropped by that time until it has stood for %v more; if the clock is right, run ssoctl clock accept", ahead.Round(time.Second), wait.Round(time.Minute))
	}
	return c
}

var (
	timeLeadDesc    = prometheus.NewDesc("ssod_shard_time_lead_seconds", "How far the time of shards is ahead of this node's clock, at most.", nil, nil)
	unconfirmedDesc = prometheus.NewDesc("ssod_clock_unconfirmed_seconds", "How far this node's clock is ahead of the confirmed time.", nil, nil)
)

// clockMetrics are the metrics of the clock.
type clockMetrics struct{ n *Node }

func (clockMetrics) Describe(ds chan<- *prometheus.Desc) {
	ds <- timeLeadDesc
	ds <- unconfirmedDesc
}

func (c clockMetrics) Collect(ms chan<- prometheus.Metric) {
	ahead, _ := c.n.watch.Unconfirmed()
	ms <- prometheus.MustNewConstMetric(unconfirmedDesc, prometheus.GaugeValue, ahead.Seconds())
	if c.n.state.Load().(admin.State) == admin.Starting {
		return // the shards are being opened
	}
	lead, _ := c.n.engine.TimeLead()
	ms <- prometheus.MustNewConstMetric(timeLeadDesc, prometheus.GaugeValue, lead.Seconds())
}
