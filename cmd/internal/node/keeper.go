package node

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/prometheus/client_golang/prometheus"

	"ssod/cluster"
	"ssod/httpfront/api/admin"
	"ssod/httpfront/token/keyurl"
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
	return errors.Join(
		n.registry.Register(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "ssod_keys_missing",
			Help: "Keys that are still to be made: of realms that have none yet, and of rotations that go on.",
		}, func() float64 { p := n.ring.Progress(); return float64(p.Wanted - p.Made) })),
		n.registry.Register(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "ssod_keys_outdated",
			Help: "Stored keys that are still sealed under an older sealing key, which a removed node has.",
		}, func() float64 { return float64(n.ring.Sealing().Outdated) })))
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

// issuersCondition is advice: the keys that were fetched last stay valid.
func (n *Node) issuersCondition() admin.Condition {
	silent := append(n.ring.Silent(), n.platforms.Silent()...)
	c := admin.Condition{Name: "issuers", OK: len(silent) == 0, Advice: true}
	if !c.OK {
		c.Detail = fmt.Sprintf("the keys of %s could not be fetched for over %v: those of then are still believed; look at jwksURL and the log",
			strings.Join(silent, ", "), keyurl.MaxSilence)
	}
	return c
}

// sealingCondition is advice: no request waits for the sealing keys.
func (n *Node) sealingCondition() admin.Condition {
	p := n.ring.Sealing()
	c := admin.Condition{Name: "sealing", OK: p.Done(), Advice: true}
	switch {
	case c.OK:
	case len(p.Unproven) > 0:
		c.Detail = fmt.Sprintf("node %s gets no keys: it does not prove that it knows the cluster secret; give all nodes the same --cluster-secret",
			strings.Join(p.Unproven, ", "))
	case p.Due:
		c.Detail = "a node was removed that has the sealing key: a new one is about to be made"
	case p.Outdated > 0:
		c.Detail = fmt.Sprintf("after a removal the stored keys are sealed again: %d of %d so far", p.Sealed-p.Outdated, p.Sealed)
	case len(p.Waiting) > 0:
		c.Detail = "keys are about to be sealed to node " + strings.Join(p.Waiting, ", ")
	default:
		c.Detail = "the sealing key that a removed node has is about to be deleted"
	}
	return c
}
