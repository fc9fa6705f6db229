package node

import (
	"context"
	"fmt"
	"strings"

	"ssod/actors/event"
	"ssod/cluster"
	"ssod/cluster/placement"
	"ssod/httpfront/api/admin"
	"ssod/httpfront/degradation"
	"ssod/httpfront/webhook"
)

// outbox makes events for the receivers of the configuration.
func (n *Node) outbox() *webhook.Outbox {
	return &webhook.Outbox{
		Settings: n.settings.Config, Cluster: n.identity.Cluster, Key: n.ring.LinkCodeKey,
		Dropped: func(receiver uint64, events int) {
			if d := n.webhooks.Load(); d != nil {
				d.Dropped(receiver, events)
			}
		},
	}
}

// tell delivers events.
func (n *Node) tell() {
	d := webhook.Start(webhook.Options{
		Shards: n.shards, Settings: n.settings.Config, Now: n.config.Clock, Metrics: n.registry, Log: n.log,
	})
	n.webhooks.Store(d)
	n.own("webhooks", closing(func() error { d.Close(); return nil }))
	n.sums = webhook.StartSums(webhook.SumOptions{
		Outbox: n.outbox(), Shards: n.shards, Level: n.store.Level, Attacks: n.attacks.Take, Now: n.config.Clock, Log: n.log,
	})
	n.own("sums of events", closing(func() error { n.sums.Close(); return nil }))
}

// eventsHere is [placement.Events].
type eventsHere struct{ n *Node }

func (e eventsHere) Serve(ctx context.Context, request []byte) ([]byte, error) {
	d := e.n.webhooks.Load()
	if d == nil {
		return nil, fmt.Errorf("%w: the node is starting", placement.ErrTemporary)
	}
	return d.Serve(ctx, request)
}

// everywhere is what operators see of events.
func (n *Node) everywhere() webhook.Everywhere {
	e := webhook.Everywhere{Here: n.webhooks.Load()}
	if n.placement != nil {
		e.Others = n.placement.EventsOfOthers()
	}
	return e
}

// webhooksCondition is advice: events wait, and no request does.
func (n *Node) webhooksCondition() admin.Condition {
	c := admin.Condition{Name: "webhooks", OK: true, Advice: true}
	d := n.webhooks.Load()
	if d == nil {
		return c
	}
	if troubles := d.Troubles(); len(troubles) > 0 {
		c.OK, c.Detail = false, strings.Join(troubles, "; ")
	}
	return c
}

// tellDegradation puts a notice into the outbox of the meta shard, which this node leads. A
// notice that comes again has the same name, and so its events the same ids.
func (n *Node) tellDegradation(ctx context.Context, m degradation.Notice) error {
	f := event.Fact{
		Type: event.Type(m.Event()), ServiceProvider: m.Rule.ServiceProvider, MVPD: m.Rule.MVPD,
		Rule: m.Rule.Rule, Until: m.Rule.Until, Reason: string(m.Ended),
	}
	events := n.outbox().Named(f, m.At, m.ID())
	if len(events) == 0 || n.store.Level() < degradationLevel {
		return nil
	}
	meta, leads := n.shards.Lead(cluster.MetaShard)
	if !leads {
		return fmt.Errorf("tell of a degradation: %w", cluster.ErrLost)
	}
	return meta.Commit(ctx, cluster.Commit{Events: events})
}
