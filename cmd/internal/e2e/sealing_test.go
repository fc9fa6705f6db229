package e2e

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Where the change of the sealing key is, as /readyz says.
const (
	keyDue = iota
	keyNew
	keyDone
)

// sealingStage asks a node where the change of the sealing key is.
func (n *node) sealingStage() int {
	_, body := n.Page("/readyz")
	var page struct {
		Conditions []struct {
			Condition, Detail string
			OK                bool
		}
	}
	if json.Unmarshal([]byte(body), &page) != nil {
		return keyDue
	}
	for _, c := range page.Conditions {
		switch {
		case c.Condition != "sealing":
		case c.OK:
			return keyDone
		case strings.Contains(c.Detail, "about to be made"):
			return keyDue
		default:
			return keyNew
		}
	}
	return keyDue
}

// TestTheSealingKeyChangesWhileNodesDie removes a node, and while the others change the
// sealing key kills both of them, again and again. Nothing that was acknowledged is lost,
// and with what the removed node had nothing opens that is stored.
func TestTheSealingKeyChangesWhileNodesDie(t *testing.T) {
	t.Parallel()
	c := startTrio(t, crashConfig)
	c.promised()
	facts, random := newLedger(), rand.New(rand.NewPCG(1, 1))
	facts.look = c.patient
	a := c.mustApp("one")
	for i := range 5 {
		c.visit(a, facts, fmt.Sprint("viewer", i), random)
	}
	gone, left := c.nodes[2], c.nodes[:2]
	c.kill(gone)
	stolen := filepath.Join(t.TempDir(), "stolen")
	must(t, os.CopyFS(stolen, os.DirFS(gone.Data())))
	until(t, "the removal", func() bool { return left[0].remove(t.Context(), "/admin/v1/nodes/"+gone.name()) == nil })
	for stage := keyDue; stage <= keyDone; stage++ {
		for _, n := range left {
			c.kill(n)
		}
		for _, n := range left {
			n.Launch()
		}
		for _, n := range left {
			n.AwaitReady()
			c.up = append(c.up, n)
		}
		until(t, fmt.Sprint("stage ", stage, " of the change"), func() bool {
			return max(left[0].sealingStage(), left[1].sealingStage()) >= stage
		})
		if stage == keyNew {
			c.visit(a, facts, "in the middle", random)
			must(t, operate(t.Context(), c.node, facts, 0))
		}
	}
	until(t, "the readmission", func() bool {
		return left[0].order(t.Context(), "POST", "/admin/v1/nodes/"+gone.name()+"/readmit") == nil
	})
	c.start(gone) // with what it had; it puts that aside
	c.promised()
	until(t, "the end of the change", func() bool {
		return left[0].sealingStage() == keyDone && left[1].sealingStage() == keyDone && gone.sealingStage() == keyDone
	})
	if lost := report(t, facts, facts.since(0)); lost > 0 {
		t.Errorf("lost_acks=%d", lost)
	}
	for _, n := range c.nodes {
		c.kill(n)
	}
	compareDirectories(t, stolen, c)
}

// compareDirectories opens what the nodes have with what was stolen from the one that
// was removed.
func compareDirectories(t *testing.T, stolen string, c *trio) {
	t.Helper()
	thief, err := readDirectory(stolen)
	must(t, err)
	if got := thief.opens(thief.sealing); got == 0 || got != len(thief.keys) {
		t.Fatalf("what was stolen opens %d of its own %d keys", got, len(thief.keys))
	}
	for i, n := range c.nodes {
		d, err := readDirectory(n.Data())
		must(t, err)
		if got := d.opens(d.sealing); got != len(d.keys) || got < len(thief.keys) || len(d.copies) != 1 {
			t.Errorf("node %d opens %d of %d keys, with %d sealing keys", i+1, got, len(d.keys), len(d.copies))
		}
		if got := d.opens(thief.sealing) + d.opens(thief.opened(d)); got > 0 {
			t.Errorf("what was stolen opens %d keys of node %d", got, i+1)
		}
	}
	aside, err := filepath.Glob(c.nodes[2].Data() + ".removed-*")
	if err != nil || len(aside) != 1 {
		t.Fatalf("put aside: %v, %v", aside, err)
	}
	d, err := readDirectory(aside[0])
	must(t, err)
	if len(d.sealing) > 0 || d.private != nil {
		t.Errorf("what was put aside has a private key, with %d sealing keys", len(d.sealing))
	}
	t.Logf("keys=%d opened_with_what_was_stolen=0", len(thief.keys))
}
