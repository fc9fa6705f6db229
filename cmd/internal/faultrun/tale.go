package faultrun

import (
	"encoding/json"
	"strings"
	"sync"
	"time"

	"ssod/cmd/internal/ssodtest"
)

// Tale is what a cluster acknowledged before operators hurry, asked for
// afterwards. Nothing is asked of it meanwhile.
type Tale struct{ *Load }

// tellers is how many viewers have something to remember, a few for each shard.
const tellers = 96

// Tell lets viewers live in a cluster, a few at a time, and an app be revoked.
func Tell(c *Cluster, name string) Tale {
	c.Helper()
	t := Live(c, name)
	a, err := newApp(t.Load, t.apps[0].realm)
	c.must(err)
	c.must(a.revoke(true))
	t.Ledger.enterApp(a)
	return t
}

// Live is Tell without the app: revoking one waits for nodes that are away.
func Live(c *Cluster, name string) Tale {
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

// ComeBack lets every viewer's first device appear again with what does not
// expire, as devices do that were not used for long. It must be the member that it
// was. Link codes that were left are over.
func (t Tale) ComeBack() {
	t.cluster.Helper()
	for _, a := range t.apps {
		t.cluster.must(patiently(a.grant))
	}
	t.each(func(v *life) error {
		v.live = ""
		was := v.host.membership
		if err := patiently(func() error { return v.app.mint(v.host, v.viewer) }); err != nil {
			return err
		}
		if v.host.membership != was {
			t.Verdict.Found(LostAck, "%s: membership %d became %d", v.viewer, was, v.host.membership)
		}
		return nil
	})
}

// MustForget waits until every viewer has only the device that came back.
func (t Tale) MustForget() {
	t.cluster.Helper()
	t.each(func(v *life) error {
		t.cluster.until("members are dropped that were not seen for long", readyWithin, func() bool {
			devices, err := v.app.list(v.host)
			_, there := devices[v.host.id]
			return err == nil && len(devices) == 1 && there
		})
		v.state = map[string]state{v.host.id: in}
		return nil
	})
}

func (t Tale) each(do func(*life) error) {
	t.cluster.Helper()
	for _, v := range t.Ledger.lives {
		t.cluster.must(do(v))
	}
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
			n.cluster.Logf("what %s said when it was refused:\n%s", n.Name, ssodtest.Tail(n.Said()))
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
	return at.Ctl("remove", n.Name)
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
