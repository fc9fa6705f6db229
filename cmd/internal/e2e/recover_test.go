package e2e

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"ssod/cmd/internal/ssodtest"
)

// TestTheMajorityIsLost kills all nodes and takes the disks of two away: of three, in a
// long run of four, where some shards keep a majority and some do not. What is left makes a cluster that has everything that it
// had got, and to which the others are added again. Meanwhile the old disk of one of
// them is tried: it is let in nowhere.
func TestTheMajorityIsLost(t *testing.T) {
	t.Parallel()
	c := newTrio(t, crashConfig)
	for range volume(3, 4) {
		c.add()
	}
	c.promised()
	facts := newLedger()
	facts.look = c.patient
	a := c.mustApp("one")
	random := rand.New(rand.NewPCG(1, 1))
	for i := range volume(20, 200) {
		c.visit(a, facts, fmt.Sprint("viewer", i), random)
	}
	c.caughtUp()
	for _, n := range c.nodes {
		c.kill(n)
	}
	left := len(c.nodes) - 2
	survivors, absent, gone := c.nodes[:left], c.nodes[left], c.nodes[left+1:]
	for _, n := range gone {
		must(t, os.RemoveAll(n.Data()))
	}
	c.recover(survivors)
	for _, n := range survivors {
		n.Launch()
	}
	for _, n := range survivors {
		n.AwaitReady()
		c.joined(n)
	}
	if lost := report(t, facts, facts.since(0)); lost > 0 {
		t.Fatalf("lost_acks=%d", lost)
	}

	absent.Launch()
	until(t, "the absent node to say why it is not let in", func() bool {
		_, body := absent.Page("/readyz")
		return strings.Contains(body, "recovered")
	})
	absent.Kill()
	must(t, os.Rename(absent.Data(), absent.Data()+".aside"))
	for _, n := range append(slices.Clone(gone), absent) {
		c.start(n)
	}
	c.promised()
	c.kill(survivors[0])
	c.settled()
	if lost := report(t, facts, facts.since(0)); lost > 0 {
		t.Errorf("lost_acks=%d after the others had joined again", lost)
	}
}

// TestCopiesOfAllDisksAreRecovered puts copies in the place of all disks, as snapshots of
// machines are: each lacks what others have from it, so the nodes refuse one another.
// After a recovery what was acknowledged before the first copy is there.
func TestCopiesOfAllDisksAreRecovered(t *testing.T) {
	t.Parallel()
	c := startTrio(t, crashConfig)
	c.promised()
	facts := newLedger()
	facts.look = c.patient
	a := c.mustApp("one")
	random := rand.New(rand.NewPCG(1, 1))
	for i := range volume(10, 100) {
		c.visit(a, facts, fmt.Sprint("viewer", i), random)
	}
	before := facts.since(0)
	for i, n := range c.nodes {
		c.kill(n)
		must(t, os.CopyFS(n.Data()+".copy", os.DirFS(n.Data())))
		c.start(n)
		c.promised()
		c.visit(a, facts, fmt.Sprint("later", i), random)
	}
	for _, n := range c.nodes {
		c.kill(n)
		must(t, os.RemoveAll(n.Data()))
		must(t, os.Rename(n.Data()+".copy", n.Data()))
		must(t, os.Chmod(filepath.Join(n.Data(), "sealing.key"), 0o600)) // a copy's mode is another
	}
	c.recover(c.nodes)
	for _, n := range c.nodes {
		n.Launch()
	}
	for _, n := range c.nodes {
		n.AwaitReady()
		c.joined(n)
	}
	c.promised()
	if lost := report(t, facts, before); lost > 0 {
		t.Errorf("lost_acks=%d", lost)
	}
}

// recover makes a plan of the reports of some nodes and applies it to them, to each a
// second time, which does nothing more.
func (c *trio) recover(survivors []*node) {
	c.Helper()
	dir := c.TempDir()
	args := []string{"--plan"}
	for i, n := range survivors {
		args = append(args, filepath.Join(dir, fmt.Sprint(i)))
		n.recover("--report", args[i+1])
	}
	made := survivors[0].recover(args...)
	c.Log(made.said)
	if !strings.Contains(made.said, "may lack the newest changes") {
		c.Errorf("a plan without a majority says %s", made.said)
	}
	plan := filepath.Join(dir, "plan")
	must(c, os.WriteFile(plan, []byte(made.out), 0o600))
	for range 2 {
		for _, n := range survivors {
			n.recover("--apply", plan)
		}
	}
}

// joined lets calls go to a node that runs.
func (c *trio) joined(n *node) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.up = append(c.up, n)
}

// printed is what a program has written.
type printed struct{ out, said string }

// recover runs ssod recover on the node's directory, which no process uses.
func (n *node) recover(args ...string) printed {
	n.Helper()
	binary, err := ssodtest.SSOD()
	must(n, err)
	var out, said strings.Builder
	cmd := exec.Command(binary, append([]string{"recover", "--data", n.Data()}, args...)...)
	cmd.Stdout, cmd.Stderr = &out, &said
	if err := cmd.Run(); err != nil {
		n.Fatalf("ssod recover %v: %v\n%s", args, err, said.String())
	}
	return printed{out.String(), said.String()}
}
