package e2e

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
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
		n.secret = c.secret
		var err error
		n.addresses, err = process.FreeAddresses(5)
		must(t, err)
		all = append(all, n.addresses[2])
		c.nodes = append(c.nodes, n)
	}
	for i, n := range c.nodes {
		n.flags = []string{"--node", fmt.Sprint("n", i+1), "--shards", "16", "--join", strings.Join(all, ",")}
		n.launch()
	}
	for _, n := range c.nodes {
		until(t, "a node that says how to go on", func() bool {
			status, text := n.get(t.Context(), "http://"+n.admin+"/readyz")
			return status == http.StatusServiceUnavailable && strings.Contains(text, "ssoctl init")
		})
		if _, err := os.Stat(n.data()); err == nil {
			t.Errorf("a node that waits has a data directory")
		}
	}
	second := c.nodes[1]
	if out, err := second.ssoctl("init"); err != nil {
		t.Fatalf("ssoctl init: %v: %s", err, out)
	}
	for _, n := range c.nodes {
		must(t, n.ready())
		c.up = append(c.up, n)
	}
	for _, n := range c.nodes {
		if out, err := n.ssoctl("init"); err == nil || !strings.Contains(out, "there is a cluster already") {
			t.Errorf("ssoctl init on a member: %v: %s", err, out)
		}
	}
	c.balanced()

	lost := c.nodes[0]
	c.kill(lost)
	must(t, os.RemoveAll(lost.data()))
	lost.launch()
	until(t, "the admin listener", func() bool {
		status, _ := lost.get(t.Context(), "http://"+lost.admin+"/livez")
		return status == http.StatusOK
	})
	if out, err := lost.ssoctl("init"); err == nil || !strings.Contains(out, "there is a cluster already") {
		t.Errorf("ssoctl init on a node whose disk was lost: %v: %s", err, out)
	}
}

// ssoctl runs a command against the node's admin address.
func (n *node) ssoctl(args ...string) (string, error) {
	n.Helper()
	binary, err := ssoctlProgram()
	must(n, err)
	out, err := exec.CommandContext(n.Context(), binary, append([]string{"--admin", n.admin}, args...)...).CombinedOutput()
	return string(out), err
}
