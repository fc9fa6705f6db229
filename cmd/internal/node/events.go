package node

import (
	"strings"

	"ssod/httpfront/api/admin"
	"ssod/httpfront/webhook"
)

// outbox makes events for the receivers of the configuration.
func (n *Node) outbox() *webhook.Outbox {
	return &webhook.Outbox{Settings: n.settings.Config, Cluster: n.identity.Cluster}
}

// tell delivers events.
func (n *Node) tell() {
	n.webhooks = webhook.Start(webhook.Options{
		Shards: n.shards, Settings: n.settings.Config, Now: n.config.Clock, Metrics: n.registry, Log: n.log,
	})
	n.own("webhooks", closing(func() error { n.webhooks.Close(); return nil }))
}

// webhooksCondition is advice: events wait, and no request does.
func (n *Node) webhooksCondition() admin.Condition {
	c := admin.Condition{Name: "webhooks", OK: true, Advice: true}
	if n.webhooks == nil {
		return c
	}
	if troubles := n.webhooks.Troubles(); len(troubles) > 0 {
		c.OK, c.Detail = false, strings.Join(troubles, "; ")
	}
	return c
}
