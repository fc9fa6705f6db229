package faultrun

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// drainRate is the load in calls per second: five processes share the machine.
const drainRate = 150

// leftWithin bounds a drain.
const leftWithin = time.Minute

// manage asks a node's admin API to change something, again while nobody can decide.
func (n *Node) manage(path string, in any) {
	n.cluster.Helper()
	n.cluster.until(path, readyWithin, func() bool {
		err := n.order(http.MethodPost, path, in, nil)
		if err != nil && !errors.Is(err, errUnknown) {
			n.cluster.Fatalf("%s: %v", path, err)
		}
		return err == nil
	})
}

// Drain has a node leave, on the word of another one.
func (n *Node) Drain(at *Node) { at.manage("/admin/v1/nodes/"+n.Name+"/drain", nil) }

// Undrain takes it back.
func (n *Node) Undrain(at *Node) { at.manage("/admin/v1/nodes/"+n.Name+"/undrain", nil) }

// AwaitLeft waits until a drained node has left: others say so, and it stays up and has
// no sealing key.
func (n *Node) AwaitLeft(at *Node) {
	n.cluster.Helper()
	began := time.Now()
	n.cluster.until(n.Name+" has left", leftWithin, func() bool {
		v, err := n.cluster.view(at)
		ok, detail := n.Condition("lifecycle")
		return err == nil && v.state(n) == "left" && !ok && strings.Contains(detail, "ssoctl undrain")
	})
	n.cluster.Logf("%s has left after %v", n, time.Since(began).Round(10*time.Millisecond))
	if n.Ended() {
		n.cluster.Errorf("%s has ended", n)
	}
	n.mustHaveNoKey()
}

func (n *Node) mustHaveNoKey() {
	n.cluster.Helper()
	if _, err := os.Stat(filepath.Join(n.Data(), "sealing.key")); !os.IsNotExist(err) {
		n.cluster.Errorf("%s has its sealing key: %v", n, err)
	}
}

// awaitPlaced waits until some nodes are ready and say that every shard has a leader
// and as many copies as it should, on no node but these.
func (c *Cluster) awaitPlaced(nodes ...*Node) {
	c.Helper()
	var names []string
	for _, n := range nodes {
		names = append(names, n.Name)
	}
	others := func(all []string) bool {
		return slices.ContainsFunc(all, func(name string) bool { return !slices.Contains(names, name) })
	}
	c.until(fmt.Sprint("everything is on ", names), readyWithin, func() bool {
		return !slices.ContainsFunc(nodes, func(n *Node) bool {
			v, err := c.view(n)
			return err != nil || v.UnplacedShards > 0 || !n.Ready() || slices.ContainsFunc(v.Shards, func(s shardView) bool {
				return s.Leader == "" || others(s.Replicas) || s.Shard > 0 && others(s.Learners)
			})
		})
	})
}

// TestScaleOutAndIn lets two more nodes join and drains two, again and again, under
// load. Clients go where it is ready, as behind a load balancer, and no request fails.
// The disks of those that left are emptied, and they join again under their names.
func TestScaleOutAndIn(t *testing.T) {
	c := Start(t, "--drain-delay", drain)
	n1, n2, n3, n4, n5 := c.Nodes[0], c.Nodes[1], c.Nodes[2], c.Add(), c.Add()
	stop := balance(c)
	calls := drainRate
	if long() {
		calls = rate()
	}
	r := Begin(c, "scale", calls)
	from := time.Now()
	<-time.After(calm)
	before := r.Latency(from, time.Now(), nil)
	from = time.Now()
	for i := range volume(1, 3) {
		for _, n := range []*Node{n4, n5} {
			if i > 0 {
				n.Wipe()
			}
			n.Start()
		}
		c.awaitPlaced(n1, n2, n3, n4, n5)
		n4.Drain(n1)
		n5.Drain(n2)
		for _, n := range []*Node{n4, n5} {
			n.AwaitLeft(n3)
			n.Terminate()
			n.AwaitEnd(readyWithin)
		}
		c.awaitPlaced(n1, n2, n3)
	}
	during := r.Latency(from, time.Now(), nil)
	t.Logf("before: %v", before)
	t.Logf("during: %v", during)
	if long() && during.Most > joinMost*max(before.Most, joinLeast) {
		t.Errorf("p99 %v; want at most %d x %v", during.Most, joinMost, before.Most)
	}
	r.Finish(t)
	stop()
	c.mayFail(r)
}

// mayFail judges how many requests failed: none as a rule, a stray one on a machine that
// stalls.
func (c *Cluster) mayFail(r *Run) {
	c.Helper()
	failed, allowed := r.Failed(), strays
	if long() {
		allowed = 0
	}
	c.Logf("%d requests failed; half were answered within %v", failed, r.Typical())
	if failed > allowed {
		c.Errorf("%d requests failed, want %d at most", failed, allowed)
	}
}

// TestScaleInToOne takes a cluster of three to one copy of everything on one node, and
// back.
func TestScaleInToOne(t *testing.T) {
	c := Start(t, "--drain-delay", drain)
	n1, n2, n3 := c.Nodes[0], c.Nodes[1], c.Nodes[2]
	stop := balance(c)
	r := Begin(c, "one", drainRate)
	n1.manage("/admin/v1/cluster/settings", map[string]any{"replicas": 1})
	n1.Drain(n1)
	n2.Drain(n3)
	n1.AwaitLeft(n3)
	n2.AwaitLeft(n3)
	c.awaitPlaced(n3)
	n2.Terminate()
	n2.AwaitEnd(readyWithin)
	n3.manage("/admin/v1/cluster/settings", map[string]any{"replicas": "3"})
	n1.Undrain(n1)
	n2.Launch() // whoever starts it, it stays out
	n2.AwaitLeft(n3)
	n2.Undrain(n3)
	c.awaitPlaced(n1, n2, n3)
	c.AwaitPromise()
	r.Finish(t)
	stop()
	c.mayFail(r)
}

// TestKillsDuringADrain kills the node that is drained and the one that leads the meta
// shard, half-way. Started again, the one leaves and the other goes on; nothing that
// was acknowledged is lost.
func TestKillsDuringADrain(t *testing.T) {
	c := Start(t, "--drain-delay", drain)
	n4, n5 := c.Add(), c.Add()
	n4.Start()
	n5.Start()
	c.awaitPlaced(c.Nodes...)
	stop := balance(c)
	r := Begin(c, "kills", drainRate)
	n5.Drain(n4)
	var v view
	c.until("some copies are gone, and another node leads the meta shard", leftWithin, func() (ok bool) {
		var err error
		v, err = c.view(n4)
		return err == nil && v.held(n5) < v.held(n4) && v.Shards[0].Leader != "" && v.Shards[0].Leader != n5.Name
	})
	leader := c.named(v.Shards[0].Leader)
	c.Logf("%s, which still holds %d shards, and %s, which leads the meta shard, are killed", n5, v.held(n5), leader)
	n5.Kill()
	leader.Kill()
	leader.Start()
	n5.Launch()
	n5.AwaitLeft(leader)
	n5.Kill()
	n5.Launch()
	c.until("n5 stays out", readyWithin, func() bool {
		_, detail := n5.Condition("lifecycle")
		return strings.Contains(detail, "ssoctl undrain")
	})
	n5.mustHaveNoKey()
	c.awaitPlaced(c.others(n5)...)
	n5.Undrain(n5)
	c.awaitPlaced(c.Nodes...)
	r.Finish(t)
	stop()
}

// held is of how many data shards a node has a copy.
func (v *view) held(n *Node) (shards int) {
	for _, s := range v.Shards[1:] {
		if slices.Contains(s.Replicas, n.Name) || slices.Contains(s.Learners, n.Name) {
			shards++
		}
	}
	return shards
}
