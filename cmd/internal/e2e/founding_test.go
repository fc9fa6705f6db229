package e2e

import (
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"

	"ssod/bench/process"
)

// TestOneCommandLineForAll: nodes that all have the same addresses to join, their own
// among them, found nothing by themselves; one is told to, and a second order, or
// one to a node whose disk was lost, is refused.
func TestOneCommandLineForAll(t *testing.T) {
	t.Parallel()
	c := newTrio(t, crashConfig)
	c.authority = nil
	var all []string
	for range 3 {
		n := newNode(t, crashConfig)
		n.Secret = c.secret
		var err error
		n.Addresses, err = process.FreeAddresses(5)
		must(t, err)
		all = append(all, n.Addresses[2])
		c.nodes = append(c.nodes, n)
	}
	for i, n := range c.nodes {
		n.Flags = append(n.Flags, "--node", fmt.Sprint("n", i+1), "--shards", "16", "--join", strings.Join(all, ","))
		n.Launch()
	}
	for _, n := range c.nodes {
		until(t, "a node that says how to go on", func() bool {
			status, text := n.Page("/readyz")
			return status == http.StatusServiceUnavailable && strings.Contains(text, "ssoctl init")
		})
		if _, err := os.Stat(n.Data()); err == nil {
			t.Errorf("a node that waits has a data directory")
		}
	}
	second := c.nodes[1]
	if out, err := second.Ctl("init"); err != nil {
		t.Fatalf("ssoctl init: %v: %s", err, out)
	}
	for _, n := range c.nodes {
		n.AwaitReady()
		c.up = append(c.up, n)
	}
	for _, n := range c.nodes {
		if out, err := n.Ctl("init"); err == nil || !strings.Contains(out, "there is a cluster already") {
			t.Errorf("ssoctl init on a member: %v: %s", err, out)
		}
	}
	c.balanced()

	lost := c.nodes[0]
	c.kill(lost)
	must(t, os.RemoveAll(lost.Data()))
	lost.Launch()
	until(t, "the admin listener", func() bool {
		status, _ := lost.Page("/livez")
		return status == http.StatusOK
	})
	if out, err := lost.Ctl("init"); err == nil || !strings.Contains(out, "there is a cluster already") {
		t.Errorf("ssoctl init on a node whose disk was lost: %v: %s", err, out)
	}
}
