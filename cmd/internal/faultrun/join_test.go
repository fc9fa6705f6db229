package faultrun

import (
	"fmt"
	"testing"
	"time"

	"ssod/cmd/internal/ssodtest"
)

// Marks of a join under load, in long runs. All nodes of a run share a disk, and each
// replica that is made, moved or removed is synced on it several times: a p99 of before
// that is below joinLeast counts as that.
const (
	joinMost  = 3                      // p99 of the calls, by that of the calls before
	joinPeak  = 500 * time.Millisecond // the longest call
	joinLeast = 20 * time.Millisecond
)

// calm is for how long there is load without a fault, to compare with.
const calm = 3 * time.Second

// TestNodesJoinUnderLoad lets a fourth and a fifth node join three of which each has
// died or stood still before. From the moment on at which a new node says that it is
// ready clients use it. No call fails, and none is answered that its outcome is
// unknown: nothing has died since.
func TestNodesJoinUnderLoad(t *testing.T) {
	calls := rate()
	for range tries {
		var failed, doubtful int
		t.Run(fmt.Sprint(calls, " calls per second"), func(t *testing.T) { failed, doubtful = joins(t, calls) })
		if doubtful > 0 {
			t.Error("joining nodes made outcomes unknown")
		}
		if failed == 0 || t.Failed() {
			return
		}
		if long() {
			break
		}
		calls /= 2 // the machine stalls: see TestRollingRestart
	}
	t.Error("joining nodes made calls fail")
}

// joins returns how many calls failed from the first join on, and how many of them
// with an unknown outcome.
func joins(t *testing.T, perSecond int) (failed, doubtful int) {
	t.Helper()
	c := Start(t)
	r := Begin(c, "join", perSecond)
	r.ageNodes()
	from := time.Now()
	<-time.After(calm)
	before := r.Latency(from, time.Now(), nil)
	t.Logf("before: %v", before)
	for range 2 {
		during := r.join(c)
		failed, doubtful = failed+during.Failed, doubtful+during.Doubtful
		if long() && (during.Most > joinMost*max(before.Most, joinLeast) || during.Peak > joinPeak) {
			t.Errorf("p99 %v, longest %v; want at most %d x %v and %v", during.Most, during.Peak, joinMost, before.Most, joinPeak)
		}
	}
	r.Finish(t)
	return failed, doubtful
}

// ageNodes kills one node and lets another stand still: what the others then know of
// them, and what they have not led since, must not slow down a node that joins.
func (r *Run) ageNodes() {
	r.cluster.Helper()
	killed, paused := r.cluster.Nodes[1], r.cluster.Nodes[0]
	killed.Kill()
	killed.Start()
	r.cluster.AwaitPromise()
	paused.Pause()
	r.cluster.dismiss(paused)
	<-time.After(ssodtest.SilentFor)
	paused.Resume()
	paused.AwaitReady()
	r.awaitWrites(time.Now(), []*Node{paused}, everyShard()) // it has yet to find the others
	r.cluster.AwaitPromise()
}

func everyShard() (all []int) {
	for shard := range Shards {
		all = append(all, shard+1)
	}
	return all
}

// join lets one more node join, waits until it has its share of the shards, and
// returns how calls were answered meanwhile.
func (r *Run) join(c *Cluster) Latency {
	c.Helper()
	from := time.Now()
	n := c.Add()
	n.Start()
	ready := time.Now()
	c.AwaitBalance()
	settled := time.Now()
	<-time.After(warmth)
	c.Logf("%s joined: ready after %v, %d shards spread after %v", n, ready.Sub(from).Round(time.Millisecond), Shards+1, settled.Sub(from).Round(time.Millisecond))
	c.Logf("at %s in its first second: %v", n, r.Latency(ready, ready.Add(time.Second), n))
	during := r.Latency(from, time.Now(), nil)
	c.Logf("during: %v", during)
	return during
}
