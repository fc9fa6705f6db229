package e2e

import (
	"os"
	"strings"
	"testing"

	"ssod/cmd/internal/e2e/examples"
)

// TestConformanceOnThreeNodes runs all cases on one cluster of three processes,
// each request on a node of its own. Every case has an app, a viewer and devices
// that the cluster has not heard of. Cases that need shorter lives run after a
// reload on all three nodes.
func TestConformanceOnThreeNodes(t *testing.T) {
	t.Parallel()
	c := newTrio(t, worldConfig(lifetimes{public: publicURL}))
	secret := c.foundWithKeys()
	ran := 0
	for lives, cases := range byLives(loadCases(t)) {
		lives.public = publicURL
		c.configure(worldConfig(lives))
		t.Run("lives", func(t *testing.T) {
			for _, one := range cases {
				ran++
				t.Run(one.ID, func(t *testing.T) {
					t.Parallel()
					c.play(t, one, secret)
				})
			}
		})
	}
	t.Logf("%d cases on three nodes", ran)
}

// foundWithKeys starts the cluster, and returns the key of STREAM1's service
// tokens: it is read while the first node is the only one, and stopped.
func (c *trio) foundWithKeys() []byte {
	c.Helper()
	c.add()
	c.kill(c.nodes[0])
	secret, err := c.nodes[0].realmSecret("programmer")
	must(c, err)
	c.start(c.nodes[0])
	c.add()
	c.add()
	c.balanced()
	return secret
}

// byLives groups the cases that can run on processes by the settings they need.
func byLives(cases []examples.Case) map[lifetimes][]examples.Case {
	groups := map[lifetimes][]examples.Case{}
	for _, one := range cases {
		if one.ID != injected {
			lives := livesFor(one)
			groups[lives] = append(groups[lives], one)
		}
	}
	return groups
}

// play runs one case. A throttle counts what its own node sees
// (httpfront/docs/limits.md#throttle), so its cases stay on one.
func (c *trio) play(t *testing.T, one examples.Case, secret []byte) {
	own := *c.node.Node
	own.TB = t
	front := node{Node: &own, sampled: c.sampled, front: c.front, client: newClient(t)}
	if strings.HasPrefix(one.ID, "thr-") {
		first := c.nodes[0]
		front.front = func() *node { return first }
	}
	w := worldOn(&front, "-"+one.ID)
	w.secret = func() ([]byte, error) { return secret, nil }
	one = w.inOwnWords(one)
	must(t, w.bring(one.Given))
	w.check(one)
}

// configure gives all nodes another configuration while they run.
func (c *trio) configure(config string) {
	c.Helper()
	for _, n := range c.nodes {
		must(c, os.WriteFile(n.ConfigFile(), []byte(config), 0o600))
		answer, err := exchange(c.Context(), n.client, "http://"+n.Admin, call{method: "POST", target: "/admin/v1/reload"})
		must(c, want(answer, err, 200, nil))
	}
}
