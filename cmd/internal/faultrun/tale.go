package faultrun

import (
	"encoding/json"
	"os/exec"
	"strings"
	"sync"
	"time"
)

// Tale is what a cluster acknowledged before operators hurry, asked for
// afterwards. Nothing is asked of it meanwhile.
type Tale struct{ *Load }

// tellers is how many viewers have something to remember, a few for each shard.
const tellers = 96

// Tell lets viewers live in a cluster, a few at a time, and an app be revoked.
func Tell(c *Cluster, name string) Tale {
	c.Helper()
	l := NewLoad(c, name)
	var living sync.WaitGroup
	for range 16 {
		living.Go(func() {
			for range tellers / 16 {
				newViewer(l, l.viewers.Add(1)).live()
			}
		})
	}
	living.Wait()
	a, err := newApp(l, l.apps[0].realm)
	c.must(err)
	c.must(a.revoke(true))
	l.Ledger.enterApp(a)
	return Tale{l}
}

// MustHold asks for everything that was acknowledged.
func (t Tale) MustHold() {
	t.cluster.Helper()
	if err := t.Ledger.Audit(); err != nil {
		t.cluster.Errorf("audit: %v", err)
	}
	t.cluster.Logf("facts=%d", t.Ledger.Facts())
	t.Verdict.Report(t.cluster)
}

// Because is why a node that joins is not taken in, as it says itself; "" while
// nobody has refused it.
func (n *Node) Because() (why string) {
	for line := range strings.Lines(n.Said()) {
		var entry struct{ Msg, Error string }
		if json.Unmarshal([]byte(line), &entry) != nil {
			continue // what Go's runtime says
		}
		if strings.HasPrefix(entry.Msg, "not taken in yet") || strings.HasPrefix(entry.Error, "join the cluster: ") {
			why = entry.Error
		}
	}
	return why
}

// MustBeRefused starts a process on an empty disk under a name that is taken and
// expects that it is told what to do, and is not taken in however long it asks.
func (n *Node) MustBeRefused(lasting time.Duration, with string) {
	n.cluster.Helper()
	asking := time.After(lasting)
	n.Launch()
	n.cluster.Cleanup(func() {
		if n.cluster.Failed() {
			n.cluster.Logf("what %s said when it was refused:\n%s", n.Name, tail(n.Said()))
		}
	})
	n.cluster.until(n.Name+" is told "+with, readyWithin, func() bool {
		return n.takenIn() || strings.Contains(n.Because(), with)
	})
	<-asking
	if n.takenIn() {
		n.cluster.Errorf("%s was taken in on an empty disk; before that it was told: %s", n.Name, n.Because())
	} else {
		n.cluster.Logf("%s is told: %s", n.Name, n.Because())
	}
}

func (n *Node) takenIn() bool { return strings.Contains(n.Said(), `"msg":"joined"`) }

// Remove gives a node up with ssoctl, at another one.
func (c *Cluster) Remove(n, at *Node) (said string, err error) {
	c.Helper()
	program, err := ssoctl()
	c.must(err)
	out, err := exec.Command(program, "--admin", at.Admin, "remove", n.Name).CombinedOutput()
	return strings.TrimSpace(string(out)), err
}

// MustNotRemove expects that a node is needed.
func (c *Cluster) MustNotRemove(n, at *Node) {
	c.Helper()
	said, err := c.Remove(n, at)
	if err == nil {
		c.Errorf("%s was removed: %s", n, said)
	}
	c.Logf("remove %s: %s", n, said)
}

// MustBeMember expects that a node that runs was not expelled, and is one of
// the cluster as another one sees it.
func (n *Node) MustBeMember(at *Node) {
	n.cluster.Helper()
	n.AwaitReady()
	v, err := n.cluster.view(at)
	n.cluster.must(err)
	if n.expelled() || v.state(n) == "" {
		n.cluster.Errorf("%s was expelled; %s says that it is %q", n, at, v.state(n))
	}
}
