package faultrun

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ssod/cmd/internal/ssodtest"
)

// TestUpgrade replaces the program of every node by the version that comes next, one node
// after the other and under load, goes back, and upgrades again. No request fails. Then
// the format level is raised, and the version before is refused: by its own directory,
// and by the other nodes where that does not know of the level. It changes nothing.
func TestUpgrade(t *testing.T) {
	allowed, calls := 0, rate()
	if !long() {
		allowed, calls = strays, min(calls, restartRate)
	}
	for range tries {
		failed := 0
		t.Run(fmt.Sprint(calls, " calls per second"), func(t *testing.T) { failed = upgrade(t, calls) })
		if failed <= allowed {
			return
		}
		if long() {
			break
		}
		calls /= 2 // the machine stalls: see TestRollingRestart
	}
	t.Error("an upgrade made requests fail")
}

// upgrade returns how many requests failed.
func upgrade(t *testing.T, calls int) int {
	t.Helper()
	newer := ssodtest.Next
	if _, err := newer(); err != nil { // built before anything is timed
		t.Fatal(err)
	}
	c := Start(t, "--drain-delay", drain)
	older := c.program
	for range volume(0, 2) { // three nodes, or five
		c.Add().Start()
	}
	c.awaitWhole()
	stop := balance(c)
	r := Begin(c, "upgrade", calls)
	c.roll(newer)
	c.roll(older) // nothing was written that it does not know
	first := c.Nodes[0]
	if said := first.refuses("cluster", "set", "level=3"); !strings.Contains(said, "is not known to every member") {
		t.Errorf("the level is raised before the upgrade: %s", said)
	}
	c.roll(newer)
	first.Operate("cluster", "set", "level=3")
	for _, n := range c.Nodes {
		c.until(n.Name+" notes the level", readyWithin, func() bool { return n.level() == "3" })
		c.until(n.Name+" uses it", readyWithin, func() bool { return strings.Contains(n.Said(), "an entity of the next level was changed") })
	}
	c.roll(newer) // what was written at the level is read
	r.Finish(t)
	stop()
	first.refusedAs(older, "its cluster is at format level 3 and this version knows format levels 1 to 2")
	c.must(os.Remove(first.levelFile())) // as if it had been away when the level was raised
	first.refusedAs(older, "does not know the format level of the cluster")
	c.program = newer
	first.Start()
	c.awaitWhole()
	return r.Failed()
}

// awaitWhole waits until any node may die and clients may use all of them.
func (c *Cluster) awaitWhole() {
	c.Helper()
	if len(c.Nodes) == 3 {
		c.AwaitPromise()
		return
	}
	c.AwaitBalance()
}

// roll starts a program in place of that of each node, one after the other.
func (c *Cluster) roll(program ssodtest.Program) {
	c.Helper()
	c.program = program
	for _, n := range c.Nodes {
		n.Terminate()
		n.AwaitEnd(readyWithin)
		n.Start()
		c.awaitWhole()
	}
}

func (n *Node) levelFile() string { return filepath.Join(n.Data(), "level") }

// level is the format level that the node has noted.
func (n *Node) level() string {
	b, _ := os.ReadFile(n.levelFile()) // there is none at the first level
	return string(b)
}

// refuses runs ssoctl at the node, which must fail, and returns what it says.
func (n *Node) refuses(args ...string) string {
	n.cluster.Helper()
	said, err := n.Ctl(args...)
	if err == nil {
		n.cluster.Errorf("ssoctl %s succeeds: %s", strings.Join(args, " "), said)
	}
	return said
}

// refusedAs starts the node as a version that must end and say why.
func (n *Node) refusedAs(program ssodtest.Program, says string) {
	n.cluster.Helper()
	if n.Process != nil {
		n.Terminate()
		n.AwaitEnd(readyWithin)
	}
	n.cluster.program = program
	n.Launch()
	if status := n.Node.AwaitEnd(readyWithin); status != 1 {
		n.cluster.Errorf("%s ended with status %d, want 1", n.Name, status)
	}
	if said := n.Said(); !strings.Contains(said, says) {
		n.cluster.Errorf("%s does not say %q:\n%s", n.Name, says, ssodtest.Tail(said))
	}
}
