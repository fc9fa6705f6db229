package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"math/rand/v2"
	"net/http"
	"time"
)

// through is the app with every call sent to one node, whether it runs or not.
// The node must keep its addresses over restarts.
func (a *app) through(n *node) *app {
	at, one := *n, *a.node
	at.front = nil
	one.front = func() *node { return &at }
	b := *a
	b.node = &one
	return &b
}

// spread is the app through each of the nodes.
func (c *trio) spread(a *app) []*app {
	doors := make([]*app, len(c.nodes))
	for i, n := range c.nodes {
		doors[i] = a.through(n)
	}
	return doors
}

// betweenTries is how long somebody waits who got no answer.
const betweenTries = 20 * time.Millisecond

// insist makes a call at one node after the other, as a load balancer with
// retries does, until there is an answer: a broken connection and 503 are none.
func insist(ctx context.Context, doors []*app, make func(*app) error) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	for i := rand.IntN(len(doors)); ; i++ {
		err := make(doors[i%len(doors)])
		if err == nil || answered(err) {
			return err
		}
		select {
		case <-ctx.Done():
			return errors.Join(ctx.Err(), err)
		case <-time.After(betweenTries):
		}
	}
}

// answered reports whether an error is an answer of the service that stays the
// same when the call is repeated.
func answered(err error) bool {
	status, _ := refusal(err)
	return errors.Is(err, errRefused) || status != 0 && status != http.StatusServiceUnavailable
}

// total is the sum of a metric over the nodes that run.
func (c *trio) total(metric string) float64 {
	c.Helper()
	sum := 0.0
	for _, n := range c.up {
		sum += n.metric(metric)
	}
	return sum
}

// shardView is what a node says of a shard; only its leader knows who lags.
type shardView struct {
	Leader             string
	Term, Lag          int
	Replicas, Learners []string
	Confirmed          bool
}

// shards is what the node says of all; nil when it does not answer.
func (n *node) shards() []shardView {
	n.Helper()
	status, page := n.Page("/admin/v1/cluster")
	if status == 0 {
		return nil
	}
	var view struct{ Shards []shardView }
	must(n, json.Unmarshal([]byte(page), &view))
	return view.Shards
}

// terms changes when a lead does.
func (c *trio) terms() (sum int) {
	c.Helper()
	for _, s := range c.any().shards() {
		sum += s.Term
	}
	return sum
}

// leads is how many shards each node leads, as one of them sees it.
func (c *trio) leads() map[string]int {
	c.Helper()
	leads := map[string]int{}
	for _, s := range c.any().shards() {
		leads[s.Leader]++
	}
	return leads
}

// balanced waits until the cluster has given each node its share of the leads:
// from then on nothing moves by itself.
func (c *trio) balanced() {
	c.Helper()
	c.promised()
	until(c, "an even share of leads", func() bool {
		least, most, shards := math.MaxInt, 0, 0
		leads := c.leads()
		for _, n := range leads {
			least, most, shards = min(least, n), max(most, n), shards+n
		}
		return len(leads) == min(len(c.up), shards) && leads[""] == 0 && most-least <= 1
	})
}
