package node

import (
	"context"
	"fmt"

	"github.com/prometheus/client_golang/prometheus"

	"ssod/cluster"
	"ssod/httpfront/admin"
)

// leadsMeta reports whether this node is the one that makes keys in the background.
func (n *Node) leadsMeta() bool {
	_, here := n.shards.Lead(cluster.MetaShard)
	return here
}

// keysAtOnce is how many keys are made at once in the background: one CPU is left
// to requests where there are several.
func (n *Node) keysAtOnce() int { return max(1, n.config.Signers-1) }

// keep makes the keys that are missing, in the background.
func (n *Node) keep() error {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		n.ring.Keep(ctx)
	}()
	n.own("keeper of the keys", closing(func() error { cancel(); <-ended; return nil }))
	return n.registry.Register(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "ssod_keys_missing",
		Help: "Keys that are still to be made: of realms that have none yet, and of rotations that go on.",
	}, func() float64 { p := n.ring.Progress(); return float64(p.Wanted - p.Made) }))
}

// keysCondition is advice: a key that a request needs is made at once.
func (n *Node) keysCondition() admin.Condition {
	p := n.ring.Progress()
	c := admin.Condition{Name: "keys", OK: p.Done(), Advice: true}
	if !c.OK {
		c.Detail = fmt.Sprintf("keys made %d of %d: the others are made in the background, and at once where a request needs one", p.Made, p.Wanted)
	}
	return c
}
